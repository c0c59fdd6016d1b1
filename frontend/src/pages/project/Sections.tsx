import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { client, etagOf, writeHeaders, type components } from "../../api";
import type { Prose } from "../../lib/prose";
import { Button, EditableProse, TextField, type FieldErrors } from "../../ui";
import { proseConflict } from "../platform/proseConflict";
import { RecordDialog, Rows } from "../platform/RecordDialog";
import { readOnlyReason } from "../platform/words";
import type { Project, ProjectFields } from "./words";

type Section = components["schemas"]["ProjectSection"];

const EMPTY: Prose = { state: "not_entered", items: [] };

/** Further parts of a project's page, each under a heading of its own. */
export function SectionsPart({ project, editable }: { project: Project; editable: boolean }) {
  const queries = useQueryClient();
  const [arranging, setArranging] = useState(false);
  // The list is stored as a whole: a text that goes on top of a newer version takes that version's other parts along.
  const newer = useRef(new Map<string, Section[]>());
  const save = async (heading: string, body: Prose, etag: string) => {
    const sections = (newer.current.get(etag) ?? project.sections).map((section) => (section.heading === heading ? { ...section, body } : section));
    const { data } = await client.PATCH("/api/v1/projects/{project_id}", {
      params: { path: { project_id: project.id }, header: writeHeaders(etag) },
      body: { sections },
    });
    await queries.invalidateQueries({ queryKey: ["get", "/api/v1/projects/{project_id}"] });
    return { etag: etagOf(data?.version ?? project.version) };
  };
  return (
    <>
      {project.sections.map(({ heading, body }) => (
        <section key={heading}>
          <h2 className="mb-2">{heading}</h2>
          <EditableProse
            label={heading}
            value={(body as Prose | undefined) ?? EMPTY}
            etag={etagOf(project.version)}
            draftKey={`projects/${project.id}/sections/${heading}`}
            readOnlyReason={readOnlyReason(editable, project)}
            onSave={(prose, etag) => save(heading, prose, etag)}
            toConflict={(error) => {
              const conflict = proseConflict("sections")(error);
              if (!conflict) return null;
              const list = conflict.theirs as unknown as Section[];
              newer.current.set(conflict.etag, list);
              const theirs = list.find((section) => section.heading === heading);
              return { ...conflict, theirs: (theirs?.body as Prose | undefined) ?? EMPTY };
            }}
          />
        </section>
      ))}
      {editable && (
        <div className="no-print">
          <Button variant="secondary" size="sm" onClick={() => setArranging(true)}>
            見出しを追加・変更
          </Button>
        </div>
      )}
      {arranging && (
        <RecordDialog<Project, { rows: { heading: string; body?: Prose }[] }, Pick<ProjectFields, "sections">>
          title="見出しを追加・変更"
          submitLabel="保存する"
          record={project}
          names={{ sections: "見出し" }}
          toDraft={(from) => ({ rows: from?.sections.map(({ heading, body }) => ({ heading, body: body as Prose })) ?? [] })}
          toFields={({ rows }) => {
            const errors: FieldErrors = {};
            rows.forEach(({ heading }, index) => {
              const path = `/sections/${index}/heading`;
              if (!heading.trim()) errors[path] = "見出しを入力してください。";
              else if (rows.findIndex((row) => row.heading.trim() === heading.trim()) < index) errors[path] = "同じ見出しがすでにあります。別の見出しにしてください。";
            });
            return { errors, fields: { sections: rows.map(({ heading, body }) => ({ heading: heading.trim(), body: body ?? EMPTY })) } };
          }}
          update={(body, header) => client.PATCH("/api/v1/projects/{project_id}", { params: { path: { project_id: project.id }, header }, body })}
          onClose={() => setArranging(false)}
        >
          {({ draft, set, field }) => (
            <>
              <p>取り除いた見出しの本文も取り除かれます。変更の履歴には残ります。</p>
              <Rows label="見出し" rows={draft.rows} onChange={(rows) => set({ rows })} blank={{ heading: "" }}>
                {({ heading }, change, index) => (
                  <TextField {...field(`/sections/${index}/heading`)} label="見出しの文言" size="sm" hint="例：PFの開催概要、実施結果" value={heading} onChange={(value) => change({ heading: value })} />
                )}
              </Rows>
            </>
          )}
        </RecordDialog>
      )}
    </>
  );
}
