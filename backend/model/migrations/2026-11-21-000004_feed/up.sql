-- What the change feed asks. Both functions look past row-level security, because a number that the caller may not see is
-- still a number of the stream: the service shows a record only after asking for it with the caller's rights.

-- Whose streams the caller follows: his organisation's, those that share a platform or a plan with him, those whose
-- submissions his prefecture gathers, and those that ordered work from him. The scope says why; when it changes, what he
-- knows of the stream is no longer what he may know.
create function feed_streams() returns table (stream_id uuid, scope text, last_seq bigint, floor_seq bigint, epoch uuid)
  language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
  return query
    with reasons (stream_id, reason) as (
      select app_org(), coalesce(app_content_org()::text, '')
      union all select p.owner_org_id, p.id::text from platforms p where p.id = any(app_shared())
      union all select p.owner_org_id, p.id::text from plans p where p.id = any(app_shared())
      union all select g, 'gathered' from unnest(app_gathers()) g
      union all select distinct c.owner_org_id, 'contractor' from project_costs c where c.contractor_id = app_org()
    )
    select r.stream_id, md5(string_agg(r.reason, ' ' order by r.reason) || ' ' || app_role()),
           coalesce(s.last_seq, 0), coalesce(s.floor_seq, 0), coalesce(s.epoch, '00000000-0000-0000-0000-000000000000')
    from reasons r left join change_stream s on s.stream_id = r.stream_id
    where r.stream_id is not null
    group by r.stream_id, s.stream_id order by r.stream_id;
end $$;

-- The next changes of these streams of these kinds, stream by stream.
create function feed_changes(p_streams uuid[], p_after bigint[], p_entities text[], p_limit integer)
  returns table (stream_id uuid, seq bigint, entity text, record_id uuid, version bigint, op text, open boolean, actor_id uuid, at timestamptz, reason text)
  language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  missing integer := p_limit;
  found_rows integer;
begin
  for i in 1 .. cardinality(p_streams) loop
    return query
      select l.stream_id, l.seq, l.entity, l.record_id, l.version, l.op::text, l.open, l.actor_id, l.at,
             case when l.op = 'D' then (select h.reason from record_history h where (h.entity, h.record_id, h.version) = (l.entity, l.record_id, l.version)) end
      from change_log l
      where l.stream_id = p_streams[i] and l.seq > p_after[i] and l.entity = any(p_entities)
      order by l.seq limit missing;
    get diagnostics found_rows = row_count;
    missing := missing - found_rows;
    exit when missing = 0;
  end loop;
end $$;

-- Forgets old numbers whose records have newer ones, and old deletions. What remains still tells every record once, so that
-- reading from the beginning stays the first load; whoever stopped below the floor is told to begin anew.
create function feed_forget(p_keep interval) returns bigint
  language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  forgotten bigint;
begin
  perform set_config('app.forgetting', 'yes', true);
  with old as (
    delete from change_log l
    where l.at < now() - p_keep and (l.op = 'D' or exists (
      select 1 from record_history h where h.entity = l.entity and h.record_id = l.record_id and h.version > l.version))
    returning l.stream_id, l.seq
  ), floors as (
    update change_stream s set floor_seq = greatest(s.floor_seq, o.seq)
    from (select stream_id, max(seq) as seq from old group by stream_id) o where o.stream_id = s.stream_id
  )
  select count(*) into forgotten from old;
  perform set_config('app.forgetting', '', true);
  return forgotten;
end $$;
