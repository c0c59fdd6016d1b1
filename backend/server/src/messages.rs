//! Japanese sentences for codes. Concrete, polite, naming the field and the remedy.

use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;

/// The sentence for a problem code.
pub fn title(code: &str, status: u16) -> String {
    let known = match code {
        "unauthenticated" => "サインインが必要です。もう一度サインインしてください。",
        "wrong_credentials" if status == 403 => "今のパスワードが違います。入力し直してください。",
        "wrong_credentials" => "メールアドレスまたはパスワードが違います。入力し直してください。",
        "forbidden" => "この操作を行う権限がありません。必要なときは所属の管理者に依頼してください。",
        "insufficient_scope" => {
            "このトークンの範囲（scope）では行えません。管理者に連携システムの範囲の見直しを依頼してください。"
        }
        "address_refused" => "このアドレスからは利用できません。連携システムに登録された接続元から送ってください。",
        "client_refused" => "連携システムのIDかシークレットが違います。設定を確かめてください。",
        "client_ended" => {
            "この連携システムは停止されているか、有効期限が切れています。所属の管理者に依頼してください。"
        }
        "secret_expired" => "このシークレットは有効期限が切れています。新しいシークレットを発行してください。",
        "one_way_to_authenticate" => {
            "認証の方法が二つ以上送られました。シークレットか署名のどちらか一方にしてください。"
        }
        "assertion_claims" => {
            "署名した内容が正しくありません。iss と sub は連携システムのID、aud はこのサーバー、jti は一回ごとの値にしてください。"
        }
        "assertion_time" => {
            "署名した内容の時刻が今の時刻と合いません。システムの時計を合わせ、有効時間を5分以内にしてください。"
        }
        "assertion_reused" => "この署名はすでに使われています。一回ごとに新しい jti で署名してください。",
        "unsupported_grant_type" => "grant_type は client_credentials にしてください。",
        "invalid_scope" => "この連携システムに認められていない範囲（scope）です。登録された範囲から選んでください。",
        "foreign_token" => "ほかの連携システムのトークンは終わらせられません。",
        "not_found" => "見つかりません。削除されたか、閲覧できない記録です。",
        "method_not_allowed" => "この操作はこのアドレスでは行えません。",
        "stale" => "ほかの人が先に更新しました。最新の内容を確かめてから保存してください。",
        "too_large" => "送信された内容が上限より大きいです。分けて送信してください。",
        "unsupported_media_type" => {
            "Content-Type が違うか、圧縮されています。API の説明にある形式で、圧縮せずに送ってください。"
        }
        "invalid" | "missing" => "入力内容を確認してください。",
        "idempotency_key_reused" => "同じ Idempotency-Key が別の内容で使われています。新しいキーで送ってください。",
        "idempotency_key_required" => "Idempotency-Key を付けて送ってください。",
        "idempotency_in_progress" => "同じ要求を処理しています。少し待ってからもう一度送ってください。",
        "precondition_required" => "更新には、読んだ版を示す If-Match が必要です。",
        "too_many_attempts" => "試行回数が多すぎます。しばらく待ってからもう一度お試しください。",
        "too_many_downloads" => "ダウンロードが混み合っています。少し待ってからもう一度お試しください。",
        "unavailable" => "ただいま混み合っています。少し待ってからもう一度お試しください。",
        "malformed_json" => "送信された内容が JSON として読めません。",
        "bad_cursor" => "続きを示す after が正しくありません。前のページの next をそのまま使ってください。",
        "bad_query" => "検索条件が正しくありません。",
        "bad_if_match" => "If-Match は読んだときの ETag をそのまま使ってください。",
        "bad_form" => "送信された内容がフォームとして読めません。項目は一度ずつ、URL エンコードして送ってください。",
        "bad_header" => "ヘッダーの値が正しくありません。",
        "as_of_of_changes" => "変更の一覧は過去の時点では読めません。as_of を付けずに読んでください。",
        "resync_required" => {
            "ここからは続けられません。organizations の団体の記録を控えから消し、after から読み直してください。"
        }
        "bad_as_of" => "as_of は 2025-03-31 の形の日付か、2025-03-31T09:00:00+09:00 の形の日時にしてください。",
        "as_of_read_only" => "過去の時点の内容は変更できません。",
        "period_order" => "期間の終わりは始まり以後の日にしてください。",
        "origin_refused" => "この画面からの要求としては受け付けられません。つなぎの画面を開き直してください。",
        "weak_password" => "パスワードは15文字以上で、よく使われる言葉や団体名を避けてください。",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    if status == 409 {
        return constraint(code);
    }
    "処理できませんでした。時間をおいてもう一度お試しください。".to_owned()
}

/// The sentence for a broken constraint: the special ones first, then by what their names end in.
fn constraint(name: &str) -> String {
    let known = match name {
        "not_in_batches" => {
            "アカウント・権限・連携システム・外部 ID は一括では書き込めません。それぞれの操作を使ってください。"
        }
        "one_way_to_name" => "記録は id か、source と external_id の組のどちらか一方で指定してください。",
        "record_of_upserts" => "record は upsert に必要で、delete には付けられません。",
        "twice_in_batch" => "同じ記録が一括の中に二度あります。一つにまとめてください。",
        "sync_rows_settled" => "この行はすでに処理されています。一覧を読み込み直してください。",
        "sync_rows_not_written" => "試行の行と、読み取れなかった行は、ここからは書き込めません。",
        "sync_runs_ended" => "この実行はすでに終わっています。",
        "sync_runs_one_at_a_time" => "このファイルはいま取り込んでいます。終わってから始めてください。",
        "imports_offset" => "続きは別の位置からです。current の size から送ってください。",
        "imports_empty" => "ファイルの中身がまだ届いていません。中身を送ってから始めてください。",
        "imports_header" => "見出しの行がありません。1行目に項目名を入れてください。",
        "imports_row_length" => "長すぎる行があります。引用符の閉じ忘れがないか確かめてください。",
        "imports_columns" => "列またはセルが多すぎます。ファイルを分けてください。",
        "imports_rows" => {
            "一度に書き込む取り込みと試行は20,000行までです。ファイルを分けるか、行ごとに書き込む取り込みにしてください。"
        }
        "imports_xlsx" => "Excel（.xlsx）のファイルとして読めません。保存し直すか、CSV にしてください。",
        "imports_xlsx_size" => "Excel のファイルが、展開すると大きくなりすぎます。分けるか、CSV にしてください。",
        "imports_entity" => "CSV と Excel のファイルでは、記録の種類を entity で指定してください。",
        "imports_full_list" => "全件の一覧では、entity と source を指定してください。",
        "imports_deletions_threshold" => {
            "削除する件数が多すぎます。一覧を確かめ、この件数でよければ at_most に件数を指定してください。"
        }
        "exports_xlsx" => "Excel のファイルに入りきりません。CSV にしてください。",
        "exports_rows" => {
            "一つのファイルに書き出せるのは100,000件までです。変更の一覧（changes）から読み出してください。"
        }
        "one_kind" => "CSV にできるのは一種類の記録だけです。entity で種類を選んでください。",
        "append_only" => "この種類の記録は消さずに残します。誤りは新しい値で訂正してください。",
        "unknown_external_id" => "参照先の外部 ID が登録されていません。参照先を先に送ってください。",
        "changed_by_others" => "ほかの人が先に更新しました。current と base を見比べて、どちらを残すか決めてください。",
        "kpi_observations_current" => {
            "この期間の値はすでに登録されています。最新の値を読み込んでから、訂正として登録してください。"
        }
        "kpi_observations_reason" => "確定した値を訂正するには、理由を入力してください。",
        "kpi_observations_value_type" => "この KPI の値の種類（数値・割合・状態）に合わせて入力してください。",
        "kpi_observations_one_value" => "数値・範囲・割合・状態・欠測理由のうち、ちょうど一つを入力してください。",
        "kpi_observations_ratio" => "分母は 0 より大きくし、分子と分母を両方入力してください。",
        "kpi_observations_range" => "範囲は下限と上限を両方入力し、下限を上限以下にしてください。",
        "kpi_observations_period" => {
            "期間は、年度なら4月1日から翌年3月31日のように、期間の種類に合わせて入力してください。"
        }
        "kpi_targets_current" => {
            "この年度の目標値はすでに設定されています。最新の目標値を読み込んでから変更してください。"
        }
        "kpi_targets_reason" => "目標値を変更するには、理由を入力してください。",
        "kpi_targets_value" => {
            "目標の種類に合わせて、数値または文章を入力してください。範囲の目標は上限を下限以上にしてください。"
        }
        "evaluations_current" => "この年度の評価はすでに登録されています。最新の評価を読み込んでから変更してください。",
        "evaluations_reason" => "評価を変更するには、理由を入力してください。",
        "evaluations_level_of_plan" => "この計画の評価基準にある段階を選んでください。",
        "members_no_overlap" => "同じ団体が同じ役割で、すでにこの期間に参画しています。期間を見直してください。",
        "findings_scope" => "platform_id・project_id・plan_id・kpi_id のうち、ちょうど一つを指定してください。",
        "finding_notes_key" => "この指摘にはすでに説明があります。その説明を変更してください。",
        "members_organization" => "区分には団体を指定できません。種類を団体かネットワークにしてください。",
        "members_dates" => "退会日は参画日以後の日にしてください。",
        "roadmap_items_year_of_plan" | "roadmap_cells_year_of_plan" => "計画期間の中の年度を選んでください。",
        "roadmap_items_actor_of_plan" | "roadmap_cells_actor_of_plan" | "goal_roles_actor_of_plan" => {
            "この計画の活動主体を選んでください。"
        }
        "roadmap_items_cell_closed" => {
            "この欄は「なし」「未実施」「期限前」とされています。先に欄の状態を「未入力」に戻してください。"
        }
        "roadmap_cells_state_without_items" => {
            "この欄には取り組みが入力されています。先に取り組みを消すか移してから、欄の状態を選んでください。"
        }
        "roadmap_items_carried_over_later" => "繰り越し先には、元の年度より後の年度を選んでください。",
        "roadmap_items_carried_over_once" => "この取り組みはすでに繰り越されています。",
        "roadmap_items_actor" => "予定と実績には活動主体を選んでください。",
        "plans_years" => "計画期間の最後の年度は、最初の年度以後で30年以内にしてください。",
        "kpi_series_whole" => "全体の系列は KPI とともにあります。地区や団体の値には別の系列を作ってください。",
        "kpis_value_type_in_use" => "値が登録されているため、値の種類は変更できません。新しい KPI を作ってください。",
        "plans_no_cycle" => "前の計画には、この計画とこれを引き継いだ計画のほかを選んでください。",
        "projects_predecessor_earlier" => "前身には、この事業より前の年度の事業を選んでください。",
        "section_state" => "行を入力するときは、状態を「入力済み」にしてください。",
        "plans_years_in_use" => {
            "計画期間から外れる年度に取り組みが入力されています。先にその取り組みを消すか移してください。"
        }
        "platforms_municipality_codes_fkey" => "登録されていない団体コードが含まれています。",
        "user_roles_fits_organization" => "この団体の種類では選べない役割です。団体に合う役割を選んでください。",
        "user_roles_no_overlap" => "この人には同じ期間に別の役割があります。期間を見直してください。",
        "grants_subject" => "人か団体のどちらか一方を指定してください。",
        "grants_user_id_fkey" => "自団体の人を選んでください。ほかの団体には、団体として閲覧を認めてください。",
        "grants_scope_id_fkey" => "自団体のプラットフォームか計画を指定してください。",
        "clients_public_keys" => {
            "公開鍵は Ed25519、P-256、2,048ビット以上の RSA のいずれかにし、鍵ごとに別の kid を付けてください。"
        }
        "organizations_standing" => "アカウントのある団体の種類と所在地は、システム管理者が変更します。",
        "webhooks_url_spelling" => {
            "通知先は https://council.example.jp/tsunagi のように、ホスト名を半角小文字の普通の書き方で入力してください。"
        }
        "webhooks_url_credentials" => "通知先の URL に利用者名やパスワードは書けません。取り除いてください。",
        "webhooks_url_https" => "通知先は https:// で始まる URL にしてください。",
        "webhooks_url_port" => "通知先のポートは 443 か 8443 にしてください。",
        "webhooks_url_address" => {
            "この宛先には通知できません。インターネットから見えるホスト名の URL を入力してください。"
        }
        "webhooks_client_active" => "停止中か期限切れの連携システムです。利用できるようにしてから登録してください。",
        "webhooks_secret" => "先にシークレットを発行してください。",
        "webhooks_replay_from" => "after か since のどちらか一方を指定してください。",
        "webhooks_replay_cursor" => "after は、届いた通知の next か GET /changes の next をそのまま使ってください。",
        "webhooks_replay_kept" => "送り直せるのは直近400日の変更です。それより前は GET /changes で読んでください。",
        "webhook_deliveries_delivered" => "この通知は届いています。送り直すときは replay を使ってください。",
        "users_email_key" => "このメールアドレスはすでに使われています。",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let sentence = if name.ends_with("_no_cycle") {
        "自分自身やその下にあるものを上位に選ぶことはできません。"
    } else if name.ends_with("_transition_reason") {
        "差し戻すとき、確定や公表を取り消すときは、理由を入力してください。"
    } else if name.ends_with("_stays") {
        "別の計画や KPI へは移せません。移し先に新しく作ってください。"
    } else if name.ends_with("_locked") {
        "確定した記録は変更できません。先に理由を添えて下書きに戻してください。"
    } else if name.ends_with("_transition") {
        "今の状態からその状態へは進めません。"
    } else if name.ends_with("_fkey") {
        "参照先の記録が見つからないか、この記録を使っている記録が残っています。先にそちらを確かめてください。"
    } else if name.ends_with("_key") {
        "同じ内容の記録がすでにあります。"
    } else {
        "ほかの記録と矛盾するため保存できません。入力内容を見直してください。"
    };
    sentence.to_owned()
}

/// The sentence for a wrong field.
pub fn field(path: &str, code: &str, params: Option<&HashMap<Cow<'static, str>, Value>>) -> String {
    let label = label(path);
    let bound = |name: &str| {
        params
            .and_then(|p| p.get(name))
            .map(|v| v.to_string().trim_end_matches(".0").to_owned())
    };
    match code {
        "blank" | "missing" => format!("{label}を入力してください。"),
        "too_long" => format!("{label}が長すぎます。短くしてください。"),
        "control_character" => {
            format!("{label}に使えない文字（制御文字）が含まれています。取り除いてください。")
        }
        "local_government_code" => {
            format!("{label}は検査数字まで正しい6桁の団体コードを半角で入力してください。")
        }
        "corporate_number" => {
            format!("{label}は検査数字まで正しい13桁の法人番号を半角で入力してください。")
        }
        "email" => format!("{label}はメールアドレスの形（半角小文字）で入力してください。"),
        "network" => format!("{label}は 203.0.113.0/24 のようなアドレスの範囲にしてください。"),
        "key_number" => format!("{label}は JSON Web Key の値をそのまま入力してください。"),
        "phone" => format!("{label}は半角の数字とハイフンで入力してください。"),
        "web_address" => format!("{label}は https:// で始まるアドレスを入力してください。"),
        "unknown_field" => format!("「{label}」という項目はありません。項目名を確かめてください。"),
        "unknown_choice" => {
            let choices = params.and_then(|p| p.get("choices")).and_then(Value::as_str);
            format!("{label}は {} のいずれかにしてください。", choices.unwrap_or_default())
        }
        "wrong_type" => format!("{label}の形式が正しくありません。"),
        "too_many" => format!("{label}が多すぎます。"),
        "length" => match (bound("min"), bound("max")) {
            (Some(min), Some(max)) => format!("{label}は{min}から{max}文字（件）にしてください。"),
            (_, Some(max)) => format!("{label}は{max}件（文字）以内にしてください。"),
            (Some(min), _) => format!("{label}は{min}件（文字）以上にしてください。"),
            _ => format!("{label}の長さを確かめてください。"),
        },
        "range" => match (bound("min"), bound("max")) {
            (Some(min), Some(max)) => format!("{label}は{min}から{max}までの数にしてください。"),
            (Some(min), None) => format!("{label}は{min}以上の数にしてください。"),
            (None, Some(max)) => format!("{label}は{max}以下の数にしてください。"),
            _ => format!("{label}の範囲を確かめてください。"),
        },
        "unknown_column" => format!("「{label}」という列はありません。列名を確かめてください。"),
        "before_first" => format!("{label}は始まり以後の年度にしてください。"),
        "time_of_day" => format!("{label}は 13:30 の形（半角、24時間制）で入力してください。"),
        "time_order" => format!("{label}の終了時刻は開始時刻以後にしてください。"),
        "undated" => "いつの値かが分かる日または期間を入力してください。".to_owned(),
        "section_state" => format!("{label}に行を入力するときは、状態を「入力済み」にしてください。"),
        "period_order" => format!("{label}の終わりは始まり以後の日にしてください。"),
        _ => format!("{label}を確かめてください。"),
    }
}

/// The Japanese name of a field: the last named step of its path.
fn label(path: &str) -> Cow<'_, str> {
    let name = path
        .rsplit('/')
        .find(|step| !step.is_empty() && step.parse::<usize>().is_err())
        .unwrap_or("入力内容");
    let known = match name {
        "name" => "名称",
        "kana" => "ふりがな",
        "title" => "表題",
        "subtitle" => "副題",
        "kind" => "種類",
        "label" => "見出し",
        "text" => "本文",
        "marker" => "記号",
        "email" => "メールアドレス",
        "addresses" => "接続元アドレス",
        "public_keys" => "公開鍵",
        "scopes" => "範囲",
        "expires_at" => "有効期限",
        "password" => "パスワード",
        "current_password" => "今のパスワード",
        "user_id" => "人",
        "department" => "所属部署",
        "valid_from" => "開始日",
        "valid_to" => "終了日",
        "phone" => "電話番号",
        "url" => "ウェブサイト",
        "corporate_number" => "法人番号",
        "municipality_code" | "municipality_codes" => "団体コード",
        "prefecture_code" => "都道府県コード",
        "fiscal_year" | "first_fiscal_year" | "last_fiscal_year" => "年度",
        "aliases" => "別名",
        "launches" => "立ち上げ",
        "districts" => "地区",
        "area_name" => "圏域名",
        "lead_department" => "担当部局",
        "summary" => "概要",
        "content" => "事業内容",
        "aims" => "目的",
        "results" => "結果",
        "unit" => "単位",
        "definition" => "定義",
        "value" | "number" => "数値",
        "numerator" => "分子",
        "denominator" => "分母",
        "low" => "下限",
        "high" => "上限",
        "missing_reason" => "欠測理由",
        "reason" => "理由",
        "period_start" => "期間の始まり",
        "period_end" => "期間の終わり",
        "joined_on" => "参画日",
        "left_on" => "退会日",
        "amount_yen" => "金額",
        "contractor" => "発注先",
        "printed" => "原文表記",
        "role" => "役割",
        "status" => "状態",
        "visibility" => "公開範囲",
        "limit" => "件数",
        "items" => "項目",
        "schedules" | "when" => "実施時期",
        "media_plan" => "広報の実施概要",
        "sections" => "見出しのある項目",
        "heading" => "見出し",
        "medium" => "媒体",
        "quantity" => "数量",
        "per_outlet" => "出稿先ごとの数量",
        "outlets" => "出稿先",
        "start_time" => "開始時刻",
        "end_time" => "終了時刻",
        "place" => "場所",
        "progress" => "進捗",
        "linkage" => "連携内容",
        "class" => "区分",
        other => return other.to_owned().into(),
    };
    known.into()
}
