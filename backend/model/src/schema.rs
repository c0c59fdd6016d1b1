//! The tables, as the migrations made them. Written by `cargo xtask gen`, never by hand.

/// Types of PostgreSQL that diesel does not know itself.
pub mod sql_types {
    /// The type `xid8`.
    #[derive(diesel::query_builder::QueryId, Clone, diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "xid8"))]
    pub struct Xid8;
}

diesel::table! {
    change_log (stream_id, seq) {
        stream_id -> Uuid,
        seq -> Int8,
        entity -> Text,
        record_id -> Uuid,
        version -> Int8,
        op -> CChar,
        open -> Bool,
        actor_id -> Nullable<Uuid>,
        request_id -> Nullable<Uuid>,
        at -> Timestamptz,
    }
}

diesel::table! {
    change_stream (stream_id) {
        stream_id -> Uuid,
        last_seq -> Int8,
        floor_seq -> Int8,
        epoch -> Uuid,
        epoch_start -> Int8,
        cluster -> Text,
        changed_at -> Timestamptz,
    }
}

diesel::table! {
    client_assertions (client_id, jti) {
        client_id -> Uuid,
        jti -> Text,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    client_secrets (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        client_id -> Uuid,
        expires_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    client_uses (client_id, credential) {
        client_id -> Uuid,
        credential -> Text,
        used_at -> Timestamptz,
    }
}

diesel::table! {
    clients (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        name -> Text,
        active -> Bool,
        expires_at -> Nullable<Timestamptz>,
        scopes -> Array<Text>,
        addresses -> Array<Text>,
        public_keys -> Jsonb,
    }
}

diesel::table! {
    credentials (id) {
        id -> Uuid,
        holder_id -> Uuid,
        secret_hash -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    evaluation_levels (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        plan_id -> Uuid,
        code -> Text,
        label -> Text,
        criteria -> Nullable<Text>,
        rank -> Int4,
    }
}

diesel::table! {
    evaluations (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        goal_id -> Uuid,
        plan_id -> Uuid,
        fiscal_year -> Int2,
        stage -> Text,
        level_id -> Nullable<Uuid>,
        remark -> Nullable<Text>,
        reason -> Nullable<Text>,
        decided_on -> Nullable<Date>,
        decided_by -> Nullable<Text>,
        revision -> Int4,
        supersedes_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    external_ids (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        entity -> Text,
        record_id -> Uuid,
        source -> Text,
        external_id -> Text,
    }
}

diesel::table! {
    finding_notes (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        entity -> Text,
        record_id -> Uuid,
        rule -> Text,
        printed -> Text,
        state -> Text,
        explanation -> Text,
    }
}

diesel::table! {
    goal_roles (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        goal_id -> Uuid,
        actor_id -> Uuid,
        expected_actor -> Nullable<Text>,
        items -> Jsonb,
    }
}

diesel::table! {
    goals (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        plan_id -> Uuid,
        parent_id -> Nullable<Uuid>,
        kind -> Text,
        number -> Nullable<Text>,
        title -> Text,
        states -> Jsonb,
        position -> Int4,
    }
}

diesel::table! {
    grants (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        user_id -> Nullable<Uuid>,
        organization_id -> Nullable<Uuid>,
        scope_id -> Uuid,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
    }
}

diesel::table! {
    idempotency_keys (actor_id, key) {
        actor_id -> Uuid,
        key -> Text,
        request_hash -> Bytea,
        status -> Int2,
        headers -> Jsonb,
        body -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    import_parts (import_id, begins) {
        import_id -> Uuid,
        begins -> Int8,
        content -> Bytea,
    }
}

diesel::table! {
    imports (id) {
        id -> Uuid,
        version -> Int8,
        organization_id -> Uuid,
        actor_id -> Uuid,
        created_at -> Timestamptz,
        file_name -> Text,
        format -> Text,
        entity -> Nullable<Text>,
        source -> Nullable<Text>,
        mode -> Text,
        full_list -> Bool,
        size -> Int8,
    }
}

diesel::table! {
    kpi_current (kpi_id) {
        kpi_id -> Uuid,
        observation_id -> Nullable<Uuid>,
        period_kind -> Nullable<Text>,
        period_start -> Nullable<Date>,
        period_end -> Nullable<Date>,
        value -> Nullable<Numeric>,
        text -> Nullable<Text>,
        missing_reason -> Nullable<Text>,
        quality -> Nullable<Text>,
        targets -> Jsonb,
    }
}

diesel::table! {
    kpi_observations (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        kpi_id -> Uuid,
        series_id -> Uuid,
        period_kind -> Text,
        period_start -> Date,
        period_end -> Date,
        number -> Nullable<Numeric>,
        low -> Nullable<Numeric>,
        high -> Nullable<Numeric>,
        numerator -> Nullable<Numeric>,
        denominator -> Nullable<Numeric>,
        state -> Nullable<Text>,
        missing_reason -> Nullable<Text>,
        approximate -> Bool,
        printed -> Nullable<Text>,
        quality -> Text,
        series_break -> Bool,
        source -> Nullable<Text>,
        note -> Nullable<Text>,
        reason -> Nullable<Text>,
        revision -> Int4,
        supersedes_id -> Nullable<Uuid>,
        recorded_by -> Nullable<Text>,
    }
}

diesel::table! {
    kpi_placements (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        kpi_id -> Uuid,
        goal_id -> Nullable<Uuid>,
        project_id -> Nullable<Uuid>,
        platform_id -> Nullable<Uuid>,
        number -> Nullable<Text>,
        printed -> Nullable<Text>,
        relisted -> Bool,
        position -> Int4,
    }
}

diesel::table! {
    kpi_series (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        kpi_id -> Uuid,
        municipality_code -> Nullable<Text>,
        district -> Nullable<Text>,
        organization_id -> Nullable<Uuid>,
        dimensions -> Jsonb,
        position -> Int4,
    }
}

diesel::table! {
    kpi_targets (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        kpi_id -> Uuid,
        fiscal_year -> Int2,
        kind -> Text,
        comparator -> Text,
        value -> Nullable<Numeric>,
        high -> Nullable<Numeric>,
        text -> Nullable<Text>,
        rationale -> Nullable<Text>,
        scope -> Nullable<Text>,
        printed -> Nullable<Text>,
        reason -> Nullable<Text>,
        revision -> Int4,
        supersedes_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    kpis (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        platform_id -> Nullable<Uuid>,
        plan_id -> Nullable<Uuid>,
        code -> Nullable<Text>,
        name -> Text,
        definition -> Nullable<Text>,
        value_type -> Text,
        unit -> Nullable<Text>,
        decimals -> Nullable<Int2>,
        direction -> Text,
        numerator_label -> Nullable<Text>,
        denominator_label -> Nullable<Text>,
        baseline -> Nullable<Jsonb>,
        time_rule -> Text,
        area_rule -> Text,
        frequency -> Text,
        responsible -> Nullable<Text>,
        data_source -> Nullable<Text>,
        counts_people -> Bool,
        printed -> Nullable<Text>,
        visibility -> Text,
        status -> Text,
        position -> Int4,
        search -> Nullable<Text>,
    }
}

diesel::table! {
    members (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        platform_id -> Uuid,
        parent_id -> Nullable<Uuid>,
        kind -> Text,
        organization_id -> Nullable<Uuid>,
        label -> Text,
        role -> Text,
        class -> Nullable<Text>,
        linkage -> Nullable<Text>,
        joined_on -> Nullable<Date>,
        left_on -> Nullable<Date>,
        joined_text -> Nullable<Text>,
        note -> Nullable<Text>,
        position -> Int4,
    }
}

diesel::table! {
    municipalities (code) {
        code -> Text,
        prefecture_code -> Text,
        prefecture_name -> Text,
        name -> Text,
        kana -> Text,
        kind -> Text,
        parent_code -> Nullable<Text>,
        valid_from -> Nullable<Date>,
        valid_to -> Nullable<Date>,
        successor_code -> Nullable<Text>,
        search -> Nullable<Text>,
    }
}

diesel::table! {
    municipality_facts (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        municipality_code -> Text,
        kind -> Text,
        value -> Numeric,
        unit -> Text,
        as_of -> Jsonb,
        as_of_on -> Date,
        source -> Text,
        printed -> Nullable<Text>,
        visibility -> Text,
        status -> Text,
    }
}

diesel::table! {
    organizations (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        kind -> Text,
        name -> Text,
        kana -> Nullable<Text>,
        aliases -> Array<Text>,
        corporate_number -> Nullable<Text>,
        municipality_code -> Nullable<Text>,
        prefecture_code -> Nullable<Text>,
        parent_id -> Nullable<Uuid>,
        position -> Int4,
        url -> Nullable<Text>,
        phone -> Nullable<Text>,
        valid_from -> Nullable<Date>,
        valid_to -> Nullable<Date>,
        successor_id -> Nullable<Uuid>,
        search -> Nullable<Text>,
    }
}

diesel::table! {
    plan_actors (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        plan_id -> Uuid,
        parent_id -> Nullable<Uuid>,
        kind -> Text,
        label -> Text,
        role_label -> Nullable<Text>,
        organization_id -> Nullable<Uuid>,
        entered_by_owner -> Bool,
        position -> Int4,
    }
}

diesel::table! {
    plans (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        platform_id -> Nullable<Uuid>,
        kind -> Text,
        title -> Text,
        subtitle -> Nullable<Text>,
        municipality_code -> Nullable<Text>,
        first_fiscal_year -> Int2,
        last_fiscal_year -> Int2,
        edition -> Nullable<Text>,
        supersedes_id -> Nullable<Uuid>,
        visibility -> Text,
        status -> Text,
        position -> Int4,
        search -> Nullable<Text>,
    }
}

diesel::table! {
    platform_years (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        platform_id -> Uuid,
        fiscal_year -> Int2,
        goals_of_year -> Jsonb,
        final_goals -> Jsonb,
        final_goals_closing -> Nullable<Text>,
        prior_efforts -> Jsonb,
        partnership_values -> Jsonb,
        trial_points -> Jsonb,
        next_year_proposals -> Jsonb,
        reactions -> Jsonb,
        process_notes -> Jsonb,
        breakthrough -> Nullable<Jsonb>,
    }
}

diesel::table! {
    platforms (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        kind -> Text,
        name -> Text,
        kana -> Nullable<Text>,
        parent_id -> Nullable<Uuid>,
        layer -> Nullable<Int2>,
        area_name -> Nullable<Text>,
        municipality_codes -> Array<Text>,
        districts -> Array<Text>,
        launches -> Jsonb,
        selection_notes -> Jsonb,
        members_note -> Nullable<Text>,
        lead_department -> Nullable<Text>,
        summary -> Nullable<Text>,
        visibility -> Text,
        status -> Text,
        position -> Int4,
        search -> Nullable<Text>,
    }
}

diesel::table! {
    project_costs (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        project_id -> Uuid,
        contractor -> Nullable<Text>,
        contractor_id -> Nullable<Uuid>,
        items -> Array<Text>,
        amount_yen -> Nullable<Int8>,
        approximate -> Bool,
        printed -> Nullable<Text>,
        note -> Nullable<Text>,
        position -> Int4,
    }
}

diesel::table! {
    projects (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        platform_id -> Nullable<Uuid>,
        goal_id -> Nullable<Uuid>,
        predecessor_id -> Nullable<Uuid>,
        fiscal_year -> Int2,
        number -> Nullable<Text>,
        name -> Text,
        title -> Nullable<Text>,
        is_reference -> Bool,
        progress -> Text,
        lead_department -> Nullable<Text>,
        content -> Jsonb,
        aims -> Jsonb,
        verification -> Jsonb,
        schedules -> Jsonb,
        summary -> Jsonb,
        ingenuity_points -> Jsonb,
        detail_aims -> Jsonb,
        results -> Jsonb,
        sections -> Jsonb,
        media_plan -> Jsonb,
        visibility -> Text,
        status -> Text,
        position -> Int4,
        search -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::*;

    record_history (entity, record_id, version) {
        ord -> Int8,
        tx -> Xid8,
        stream_id -> Uuid,
        entity -> Text,
        record_id -> Uuid,
        version -> Int8,
        op -> CChar,
        row -> Jsonb,
        actor_id -> Nullable<Uuid>,
        actor_name -> Nullable<Text>,
        actor_org_id -> Nullable<Uuid>,
        reason -> Nullable<Text>,
        request_id -> Nullable<Uuid>,
        at -> Timestamptz,
    }
}

diesel::table! {
    record_tree (entity) {
        entity -> Text,
        parent -> Text,
        parent_column -> Text,
    }
}

diesel::table! {
    revoked_tokens (id) {
        id -> Uuid,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    roadmap_cells (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        goal_id -> Uuid,
        fiscal_year -> Int2,
        actor_id -> Nullable<Uuid>,
        kind -> Text,
        state -> Text,
        heading_shown -> Bool,
        entered_by_org_id -> Uuid,
    }
}

diesel::table! {
    roadmap_items (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        goal_id -> Uuid,
        fiscal_year -> Int2,
        actor_id -> Nullable<Uuid>,
        kind -> Text,
        text -> Text,
        marker -> Nullable<Text>,
        progress -> Text,
        responsible -> Nullable<Text>,
        due_on -> Nullable<Date>,
        original_fiscal_year -> Int2,
        carried_over_from_id -> Nullable<Uuid>,
        continues -> Bool,
        position -> Int4,
        entered_by_org_id -> Uuid,
    }
}

diesel::table! {
    sessions (id) {
        id -> Uuid,
        actor_id -> Uuid,
        organization_id -> Uuid,
        generation -> Int4,
        rotated_at -> Timestamptz,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    sign_in_failures (subject) {
        subject -> Text,
        failures -> Int4,
        first_at -> Timestamptz,
        last_at -> Timestamptz,
    }
}

diesel::table! {
    signing_keys (id) {
        id -> Uuid,
        public_key -> Bytea,
        private_key -> Bytea,
        created_at -> Timestamptz,
        active_from -> Timestamptz,
        retired_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    sync_rows (id) {
        id -> Uuid,
        version -> Int8,
        organization_id -> Uuid,
        run_id -> Uuid,
        line -> Int8,
        outcome -> Text,
        entity -> Nullable<Text>,
        record_id -> Nullable<Uuid>,
        item -> Jsonb,
        problem -> Nullable<Jsonb>,
        base -> Nullable<Jsonb>,
        settled_at -> Nullable<Timestamptz>,
        settled_by -> Nullable<Uuid>,
        settled_by_name -> Nullable<Text>,
        settlement -> Nullable<Text>,
    }
}

diesel::table! {
    sync_runs (id) {
        id -> Uuid,
        version -> Int8,
        organization_id -> Uuid,
        actor_id -> Uuid,
        actor_name -> Nullable<Text>,
        actor_kind -> Text,
        session_id -> Nullable<Uuid>,
        kind -> Text,
        import_id -> Nullable<Uuid>,
        file_name -> Nullable<Text>,
        source -> Nullable<Text>,
        mode -> Text,
        dry_run -> Bool,
        state -> Text,
        committed -> Bool,
        begun_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        created -> Int8,
        updated -> Int8,
        unchanged -> Int8,
        deleted -> Int8,
        conflict -> Int8,
        error -> Int8,
        absent -> Int8,
        problem -> Nullable<Jsonb>,
        line -> Int8,
        position -> Int8,
        worker -> Nullable<Uuid>,
        lease_until -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    user_roles (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        user_id -> Uuid,
        role -> Text,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
    }
}

diesel::table! {
    users (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        email -> Text,
        name -> Text,
        kana -> Nullable<Text>,
        title -> Nullable<Text>,
        department -> Nullable<Text>,
        active -> Bool,
    }
}

diesel::table! {
    webhook_deliveries (id) {
        id -> Uuid,
        webhook_id -> Uuid,
        organization_id -> Uuid,
        status -> Text,
        message -> Text,
        position -> Text,
        attempts -> Int4,
        created_at -> Timestamptz,
        attempted_at -> Nullable<Timestamptz>,
        next_attempt_at -> Nullable<Timestamptz>,
        answer_status -> Nullable<Int2>,
        failure -> Nullable<Text>,
    }
}

diesel::table! {
    webhook_secrets (id) {
        id -> Uuid,
        webhook_id -> Uuid,
        sealed -> Bytea,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    webhook_states (webhook_id) {
        webhook_id -> Uuid,
        position -> Text,
        next_attempt_at -> Timestamptz,
        lease -> Nullable<Uuid>,
        leased_until -> Nullable<Timestamptz>,
        seen -> Nullable<Int8>,
    }
}

diesel::table! {
    webhooks (id) {
        id -> Uuid,
        version -> Int8,
        owner_org_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        client_id -> Uuid,
        url -> Text,
        description -> Nullable<Text>,
        entities -> Array<Text>,
        active -> Bool,
    }
}

diesel::joinable!(client_assertions -> clients (client_id));
diesel::joinable!(client_secrets -> clients (client_id));
diesel::joinable!(client_uses -> clients (client_id));
diesel::joinable!(clients -> organizations (owner_org_id));
diesel::joinable!(evaluation_levels -> plans (plan_id));
diesel::joinable!(goal_roles -> goals (goal_id));
diesel::joinable!(goal_roles -> plan_actors (actor_id));
diesel::joinable!(goals -> plans (plan_id));
diesel::joinable!(grants -> organizations (organization_id));
diesel::joinable!(grants -> users (user_id));
diesel::joinable!(import_parts -> imports (import_id));
diesel::joinable!(imports -> organizations (organization_id));
diesel::joinable!(kpi_current -> kpis (kpi_id));
diesel::joinable!(kpi_observations -> kpi_series (series_id));
diesel::joinable!(kpi_observations -> kpis (kpi_id));
diesel::joinable!(kpi_placements -> goals (goal_id));
diesel::joinable!(kpi_placements -> kpis (kpi_id));
diesel::joinable!(kpi_placements -> platforms (platform_id));
diesel::joinable!(kpi_placements -> projects (project_id));
diesel::joinable!(kpi_series -> kpis (kpi_id));
diesel::joinable!(kpi_series -> municipalities (municipality_code));
diesel::joinable!(kpi_series -> organizations (organization_id));
diesel::joinable!(kpi_targets -> kpis (kpi_id));
diesel::joinable!(kpis -> organizations (owner_org_id));
diesel::joinable!(kpis -> plans (plan_id));
diesel::joinable!(kpis -> platforms (platform_id));
diesel::joinable!(members -> organizations (organization_id));
diesel::joinable!(members -> platforms (platform_id));
diesel::joinable!(municipality_facts -> municipalities (municipality_code));
diesel::joinable!(municipality_facts -> organizations (owner_org_id));
diesel::joinable!(plan_actors -> organizations (organization_id));
diesel::joinable!(plan_actors -> plans (plan_id));
diesel::joinable!(plans -> municipalities (municipality_code));
diesel::joinable!(plans -> organizations (owner_org_id));
diesel::joinable!(plans -> platforms (platform_id));
diesel::joinable!(platform_years -> platforms (platform_id));
diesel::joinable!(platforms -> organizations (owner_org_id));
diesel::joinable!(project_costs -> organizations (contractor_id));
diesel::joinable!(project_costs -> projects (project_id));
diesel::joinable!(projects -> goals (goal_id));
diesel::joinable!(projects -> organizations (owner_org_id));
diesel::joinable!(projects -> platforms (platform_id));
diesel::joinable!(roadmap_cells -> goals (goal_id));
diesel::joinable!(roadmap_cells -> plan_actors (actor_id));
diesel::joinable!(roadmap_items -> goals (goal_id));
diesel::joinable!(roadmap_items -> plan_actors (actor_id));
diesel::joinable!(sessions -> organizations (organization_id));
diesel::joinable!(sync_rows -> organizations (organization_id));
diesel::joinable!(sync_rows -> sync_runs (run_id));
diesel::joinable!(sync_runs -> imports (import_id));
diesel::joinable!(sync_runs -> organizations (organization_id));
diesel::joinable!(user_roles -> organizations (owner_org_id));
diesel::joinable!(user_roles -> users (user_id));
diesel::joinable!(users -> organizations (owner_org_id));
diesel::joinable!(webhook_deliveries -> organizations (organization_id));
diesel::joinable!(webhook_deliveries -> webhooks (webhook_id));
diesel::joinable!(webhook_secrets -> webhooks (webhook_id));
diesel::joinable!(webhook_states -> webhooks (webhook_id));
diesel::joinable!(webhooks -> clients (client_id));

diesel::allow_tables_to_appear_in_same_query!(
    change_log,
    change_stream,
    client_assertions,
    client_secrets,
    client_uses,
    clients,
    credentials,
    evaluation_levels,
    evaluations,
    external_ids,
    finding_notes,
    goal_roles,
    goals,
    grants,
    idempotency_keys,
    import_parts,
    imports,
    kpi_current,
    kpi_observations,
    kpi_placements,
    kpi_series,
    kpi_targets,
    kpis,
    members,
    municipalities,
    municipality_facts,
    organizations,
    plan_actors,
    plans,
    platform_years,
    platforms,
    project_costs,
    projects,
    record_history,
    record_tree,
    revoked_tokens,
    roadmap_cells,
    roadmap_items,
    sessions,
    sign_in_failures,
    signing_keys,
    sync_rows,
    sync_runs,
    user_roles,
    users,
    webhook_deliveries,
    webhook_secrets,
    webhook_states,
    webhooks,
);
