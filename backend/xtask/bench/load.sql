-- National-scale data in the product's own tables, set by set; nothing of it is anybody's data.
--
-- {organisations} municipalities; each with 5 platforms, 20 local organisations and a plan; each platform with 20 members,
-- 60 projects and 60 KPIs; a fifth of the KPIs with 24 monthly values, the others with 6 yearly ones. History, feed and
-- kept values are filled as the triggers would have left them; the triggers themselves sleep while this runs.
-- `cargo xtask bench` runs what stands between two "-- step" lines as one transaction.

-- step: numbers and ids
set session_replication_role = replica;
set synchronous_commit = off;
set maintenance_work_mem = '1GB';
create schema bench;
grant usage on schema bench to tsunagi_app;
-- The n-th record of a kind (1 municipality, 2 platform, 3 member, 4 project, 5 KPI and its series, 6 target, 7 observation,
-- 8 plan, 9 column, 10 goal, 11 roadmap item, 12 cell, 13 evaluation, 14 level, 15 user, 16 role, 17 session, 18 credential,
-- 19 written while measuring, 20 local organisation, 21 role, 22 placement, 23 prefecture).
-- Shaped like the product's own ids (UUIDv7): what tells records apart stands in front, without which GiST finds no order.
create function bench.id(kind integer, n bigint) returns uuid language sql immutable parallel safe as $$
  select (lpad(to_hex(n), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8000000000000000')::uuid
$$;
-- Numbers the runs that write, so that none of them meets the rows of another.
create sequence bench.runs;

-- Search indexes and exclusion constraints are made at the end, all at once.
create table bench.later as
select format('alter table %s drop constraint %I', conrelid::regclass, conname) as remove,
       format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as make
from pg_constraint where contype = 'x' and conrelid in ('members'::regclass)
union all
select format('drop index %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam
where a.amname = 'gin' and c.relnamespace = 'public'::regnamespace;
do $$
declare
  statement text;
begin
  for statement in select remove from bench.later loop
    execute statement;
  end loop;
end $$;

-- step: organisations and accounts
insert into organizations (id, owner_org_id, kind, name, kana, municipality_code, prefecture_code, position)
select bench.id(1, n), bench.id(1, n), 'municipality', name, kana, code, prefecture_code, n
from (select row_number() over (order by code) as n, m.* from municipalities m
      where kind in ('designated_city', 'city', 'special_ward', 'town', 'village')) m
where n <= {organisations};
insert into organizations (id, owner_org_id, kind, name, municipality_code, prefecture_code, parent_id, position)
select bench.id(20, (o.position - 1) * 20 + m), o.id,
       (array['social_welfare_council', 'npo', 'social_welfare_corporation', 'residents_group', 'medical'])[1 + m % 5],
       o.name || '第' || m || '協議会', o.municipality_code, o.prefecture_code, o.id, m
from organizations o, generate_series(1, 20) m where o.kind = 'municipality';
analyze organizations;
-- The prefecture with the most municipalities.
insert into organizations (id, owner_org_id, kind, name, prefecture_code, position)
select bench.id(23, 1), bench.id(23, 1), 'prefecture', name, prefecture_code, 0 from municipalities where code = '010006';
-- One account per connection of the measurement; all with the password of the first administrator.
insert into users (id, owner_org_id, email, name)
select bench.id(15, u), bench.id(1, (u - 1) % {organisations} + 1), 'editor' || u || '@bench.example.jp', '計測 ' || u from generate_series(1, 64) u;
insert into user_roles (id, owner_org_id, user_id, role)
select bench.id(16, u), bench.id(1, (u - 1) % {organisations} + 1), bench.id(15, u), 'municipality_editor' from generate_series(1, 64) u;
insert into credentials (id, holder_id, secret_hash)
select bench.id(18, u), bench.id(15, u), (select secret_hash from credentials limit 1) from generate_series(1, 64) u;
insert into users (id, owner_org_id, email, name) values (bench.id(15, 65), bench.id(23, 1), 'prefecture@bench.example.jp', '計測 県');
insert into user_roles (id, owner_org_id, user_id, role) values (bench.id(16, 65), bench.id(23, 1), bench.id(15, 65), 'prefecture_editor');
insert into credentials (id, holder_id, secret_hash) select bench.id(18, 65), bench.id(15, 65), secret_hash from credentials limit 1;
insert into sessions (id, actor_id, organization_id, expires_at)
select bench.id(17, u), bench.id(15, u), bench.id(1, (u - 1) % {organisations} + 1), now() + interval '10 years' from generate_series(1, 64) u;

-- step: platforms, members, projects
insert into platforms (id, owner_org_id, kind, name, area_name, municipality_codes, launches, lead_department, summary, visibility, status, position)
select bench.id(2, p), o.id, (array['partnership_platform', 'regional_council', 'consultative_council', 'liaison_conference', 'other'])[1 + p % 5],
       o.name || '地域福祉プラットフォーム第' || p, o.name, array[o.municipality_code], '[]', '福祉課',
       '官民が連携し、住民が孤立せず安心して暮らせる地域をつくる。', 'public', 'published', p
from generate_series(1, {organisations} * 5) p join organizations o on o.id = bench.id(1, (p - 1) / 5 + 1);
insert into members (id, owner_org_id, platform_id, kind, organization_id, label, role, class, joined_on, position)
select bench.id(3, (p - 1) * 20 + m), bench.id(1, (p - 1) / 5 + 1), bench.id(2, p), 'organization', o.id, o.name,
       (array['member', 'member', 'secretariat', 'observer'])[1 + m % 4], (array['社協', 'NPO', '行政', '民間企業', '医療'])[1 + m % 5],
       date '2018-04-01' + (p * 20 + m) % 2000, m
from generate_series(1, {organisations} * 5) p cross join generate_series(1, 20) m
join organizations o on o.id = bench.id(20, (p - 1) / 5 * 20 + m);
insert into projects (id, owner_org_id, platform_id, fiscal_year, number, name, progress, lead_department, content, aims, schedules, summary,
  visibility, status, position)
select bench.id(4, n), bench.id(1, (n - 1) / 300 + 1), bench.id(2, (n - 1) / 60 + 1), 2023 + n % 3, n::text,
       '居場所づくり・見守り支援事業（第' || n % 60 + 1 || '期）', (array['planned', 'ongoing', 'done', 'cancelled'])[1 + n % 4], '福祉課',
       '{"state": "entered", "items": [{"depth": 0, "marker": "・", "text": "高齢者・ひきこもり・子育て世帯など孤立しやすい住民が気軽に立ち寄れる居場所を設け、相談支援機関へつなぐ。"}]}',
       '{"state": "entered", "items": [{"depth": 0, "marker": "・", "text": "つながりのある住民を増やす。"}]}',
       jsonb_build_array(jsonb_build_object('label', '1回目', 'done', true,
         'when', jsonb_build_object('precision', 'day', 'start', date '2023-04-01' + (n % 700)::int))),
       '{"state": "not_entered", "items": []}', 'public', 'published', n % 60
from generate_series(1, {organisations} * 300) n;

-- step: KPIs, series, targets
insert into kpis (id, owner_org_id, platform_id, code, name, definition, value_type, unit, decimals, direction, baseline, time_rule, frequency,
  responsible, data_source, visibility, status, position)
select bench.id(5, n), bench.id(1, (n - 1) / 300 + 1), bench.id(2, (n - 1) / 60 + 1), 'K' || n,
       (array['居場所の延べ利用者数', '見守りネットワーク登録世帯数', '相談からつながった支援件数', 'ボランティア登録者数', '協議体の開催回数',
              '住民アンケートで孤独を感じる割合'])[1 + n % 6] || '（' || n % 60 + 1 || '）',
       '年度末に担当課が集計する。', 'number', (array['人', '世帯', '件', '人', '回', '%'])[1 + n % 6], 1,
       case when n % 6 = 5 then 'decrease' else 'increase' end,
       jsonb_build_object('value', (n % 50)::text, 'source', '令和5年度 福祉課の集計'), 'last',
       case when n % 5 = 0 then 'month' else 'fiscal_year' end, '福祉課', '福祉課の集計', 'public', 'published', n % 60
from generate_series(1, {organisations} * 300) n;
insert into kpi_series (id, owner_org_id, kpi_id) select id, owner_org_id, id from kpis;
insert into kpi_targets (id, owner_org_id, kpi_id, fiscal_year, value, rationale)
select bench.id(6, n * 2 + y), bench.id(1, (n - 1) / 300 + 1), bench.id(5, n), 2026 + y, 50 + (n * 7 + y * 25) % 450, '前年度の実績から'
from generate_series(1, {organisations} * 300) n, generate_series(0, 1) y;

-- step: observations
insert into kpi_observations (id, owner_org_id, kpi_id, series_id, period_kind, period_start, period_end, number, quality, source, recorded_by)
select bench.id(7, n * 24 + m), bench.id(1, (n - 1) / 300 + 1), bench.id(5, n), bench.id(5, n), 'month', start,
       (start + interval '1 month - 1 day')::date, ((n * 31 + m * 17) % 5000) / 10.0,
       (array['final', 'final', 'final', 'provisional'])[1 + (n + m) % 4], '福祉課の集計', '計測'
from generate_series(5, {organisations} * 300, 5) n, generate_series(0, 23) m,
     lateral (select (date '2024-04-01' + m * interval '1 month')::date as start) s;
insert into kpi_observations (id, owner_org_id, kpi_id, series_id, period_kind, period_start, period_end, number, quality, source, recorded_by)
select bench.id(7, n * 24 + y), bench.id(1, (n - 1) / 300 + 1), bench.id(5, n), bench.id(5, n), 'fiscal_year', make_date(2020 + y, 4, 1),
       make_date(2021 + y, 3, 31), ((n * 31 + y * 17) % 5000) / 10.0, (array['final', 'final', 'final', 'provisional'])[1 + (n + y) % 4],
       '福祉課の集計', '計測'
from generate_series(1, {organisations} * 300) n, generate_series(0, 5) y where n % 5 <> 0;

-- step: plans with their roadmaps (8 measures, 5 years, 3 columns: 280 cells with entries, 40 notes, 40 evaluations)
insert into plans (id, owner_org_id, platform_id, kind, title, municipality_code, first_fiscal_year, last_fiscal_year, visibility, status)
select bench.id(8, o.position), o.id, bench.id(2, o.position * 5), 'community_welfare_plan', o.name || '地域福祉計画', o.municipality_code, 2022, 2026,
       'public', 'published'
from organizations o where o.kind = 'municipality';
insert into plan_actors (id, owner_org_id, plan_id, kind, label, position)
select bench.id(9, (p - 1) * 3 + a), bench.id(1, p), bench.id(8, p),
       (array['community_promotion_council', 'social_welfare_council', 'government'])[a], (array['地域振興協議会', '社会福祉協議会', '行政'])[a], a
from generate_series(1, {organisations}) p, generate_series(1, 3) a;
insert into evaluation_levels (id, owner_org_id, plan_id, code, label, rank)
select bench.id(14, (p - 1) * 4 + l), bench.id(1, p), bench.id(8, p), chr(64 + l), (array['達成', 'おおむね達成', '一部達成', '未達成'])[l], 5 - l
from generate_series(1, {organisations}) p, generate_series(1, 4) l;
insert into goals (id, owner_org_id, plan_id, parent_id, kind, number, title, position)
select bench.id(10, (p - 1) * 10 + g), bench.id(1, p), bench.id(8, p), case when g > 2 then bench.id(10, (p - 1) * 10 + 1 + g % 2) end,
       case when g > 2 then 'measure' else 'basic_goal' end, g::text, '見守り体制の整備と担い手の育成（' || g || '）', g
from generate_series(1, {organisations}) p, generate_series(1, 10) g;
insert into roadmap_items (id, owner_org_id, goal_id, fiscal_year, actor_id, kind, text, marker, progress, original_fiscal_year, position,
  entered_by_org_id)
select bench.id(11, ((p - 1) * 8 + g) * 35 + y * 7 + c), bench.id(1, p), bench.id(10, (p - 1) * 10 + 2 + g), 2022 + y,
       case when c < 6 then bench.id(9, (p - 1) * 3 + 1 + c % 3) end, case when c < 3 then 'planned' when c < 6 then 'actual' else 'milestone' end,
       '見守り体制の整備と担い手育成研修の実施（年2回）', '・', (array['done', 'ongoing', 'not_started'])[1 + (g + y + c) % 3], 2022 + y, 1, bench.id(1, p)
from generate_series(1, {organisations}) p, generate_series(1, 8) g, generate_series(0, 4) y, generate_series(0, 6) c;
insert into roadmap_cells (id, owner_org_id, goal_id, fiscal_year, kind, state, entered_by_org_id)
select bench.id(12, ((p - 1) * 8 + g) * 5 + y), bench.id(1, p), bench.id(10, (p - 1) * 10 + 2 + g), 2022 + y, 'note', 'none',
       bench.id(1, p)
from generate_series(1, {organisations}) p, generate_series(1, 8) g, generate_series(0, 4) y;
insert into evaluations (id, owner_org_id, goal_id, plan_id, fiscal_year, level_id, remark)
select bench.id(13, ((p - 1) * 8 + g) * 5 + y), bench.id(1, p), bench.id(10, (p - 1) * 10 + 2 + g), bench.id(8, p), 2022 + y,
       bench.id(14, (p - 1) * 4 + 1 + (g + y) % 4), '研修を予定どおり実施した。'
from generate_series(1, {organisations}) p, generate_series(1, 8) g, generate_series(0, 4) y;
insert into goal_roles (id, owner_org_id, goal_id, actor_id, items)
select bench.id(21, ((p - 1) * 8 + g) * 3 + a), bench.id(1, p), bench.id(10, (p - 1) * 10 + 2 + g), bench.id(9, (p - 1) * 3 + a),
       '[{"depth": 0, "marker": "・", "text": "見守りの担い手を育てる。"}]'
from generate_series(1, {organisations}) p, generate_series(1, 8) g, generate_series(1, 3) a;
insert into kpi_placements (id, owner_org_id, kpi_id, goal_id, position)
select bench.id(22, (p - 1) * 8 + g), bench.id(1, p), bench.id(5, (p - 1) * 300 + g), bench.id(10, (p - 1) * 10 + 2 + g), g
from generate_series(1, {organisations}) p, generate_series(1, 8) g;

-- step: kept current values
insert into kpi_current (kpi_id, observation_id, period_kind, period_start, period_end, value, quality, targets)
select o.kpi_id, o.id, o.period_kind, o.period_start, o.period_end, o.number, o.quality, t.targets
from (select distinct on (series_id) * from kpi_observations order by series_id, period_start desc, revision desc) o
join (select kpi_id, jsonb_object_agg(fiscal_year::text, value::text) as targets from kpi_targets group by kpi_id) t on t.kpi_id = o.kpi_id;

-- step: search indexes
do $$
declare
  statement text;
begin
  for statement in select make from bench.later loop
    execute statement;
  end loop;
end $$;

-- step: history
do $$
declare
  entity text;
begin
  foreach entity in array array['organizations', 'users', 'user_roles', 'platforms', 'members', 'projects', 'kpis', 'kpi_series', 'kpi_targets',
    'plans', 'plan_actors', 'evaluation_levels', 'goals', 'goal_roles', 'roadmap_items', 'roadmap_cells', 'evaluations', 'kpi_placements', 'kpi_observations']
  loop
    execute format('insert into record_history (stream_id, entity, record_id, version, op, row, actor_id, actor_name, actor_org_id)
      select owner_org_id, %1$L, id, version, ''I'', to_jsonb(t) - ''search'', bench.id(15, 1), ''計測'', owner_org_id
      from %1$I t where id <> all (array(select record_id from record_history where entity = %1$L))', entity);
  end loop;
end $$;

-- step: change feed
insert into change_log (stream_id, seq, entity, record_id, version, op, actor_id)
select stream_id, row_number() over (partition by stream_id order by ord), entity, record_id, version, op, actor_id
from record_history where stream_id not in (select stream_id from change_stream);
insert into change_stream (stream_id, last_seq, cluster) select stream_id, max(seq), cluster_timeline() from change_log
where stream_id not in (select stream_id from change_stream) group by stream_id;

-- step: the plain copy that the reference of P5 writes into
create table bench.observations (like kpi_observations including all);
insert into bench.observations select * from kpi_observations;
create table bench.changes (like change_log including all);
