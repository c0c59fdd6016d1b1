import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { may, useIdentity } from "../../api";
import { fiscalYearLabel } from "../../lib/date";
import { formatPeriod } from "../../lib/period";
import { Button, EmptyState, QueryView, StatusBadge, Table, useFiscalYear } from "../../ui";
import { ProjectForm, useProjects } from "../project/ProjectForm";
import { progressOf } from "../project/words";
import type { Platform } from "./words";

/** The projects of the chosen fiscal year, in the order of the document. */
export function Projects({ platform }: { platform: Platform }) {
  const identity = useIdentity();
  const navigate = useNavigate();
  const year = useFiscalYear();
  const projects = useProjects(platform.id, year);
  const [adding, setAdding] = useState(false);
  const add = may(identity, "projects", "create", platform) && (
    <Button size="sm" onClick={() => setAdding(true)}>
      事業を追加
    </Button>
  );
  return (
    <>
      <QueryView query={projects} what="事業">
        {(rows) =>
          rows.length === 0 ? (
            <EmptyState title={`${fiscalYearLabel(year)}の事業はまだありません`} actions={add}>
              前年度の事業を引き継いで始めることもできます。
            </EmptyState>
          ) : (
            <>
              <div className="no-print mb-3 flex justify-end">{add}</div>
              <Table
                caption={`${fiscalYearLabel(year)}の事業`}
                captionHidden
                rows={rows}
                rowKey={({ id }) => id}
                columns={[
                  { key: "number", header: "番号", width: "4.5rem", cell: ({ number }) => number },
                  {
                    key: "name",
                    header: "事業名称",
                    rowHeader: true,
                    width: "22rem",
                    cell: ({ id, name, is_reference: reference }) => (
                      <>
                        {reference && <span className="me-2 whitespace-nowrap rounded-4 border border-solid-gray-600 px-1 text-sm font-normal">※参考</span>}
                        <Link className="link" to="/projects/$projectId" params={{ projectId: id }}>
                          {name}
                        </Link>
                      </>
                    ),
                  },
                  {
                    key: "schedules",
                    header: "実施時期",
                    cell: ({ schedules }) => (
                      <ul>
                        {schedules.map(({ label, when }, index) => (
                          <li key={index}>
                            {label && `${label}　`}
                            {formatPeriod(when)}
                          </li>
                        ))}
                      </ul>
                    ),
                  },
                  { key: "department", header: "担当部局", width: "12rem", cell: ({ lead_department: department }) => department },
                  { key: "progress", header: "進み具合", width: "7rem", cell: ({ progress }) => progressOf(progress) },
                  { key: "status", header: "状態", width: "7rem", cell: ({ status }) => <StatusBadge status={status} /> },
                ]}
              />
            </>
          )
        }
      </QueryView>
      {adding && (
        <ProjectForm
          platformId={platform.id}
          year={year}
          position={Math.max(0, ...(projects.data ?? []).map(({ position }) => position)) + 1}
          onClose={() => setAdding(false)}
          onCreated={(projectId) => void navigate({ to: "/projects/$projectId", params: { projectId } })}
        />
      )}
    </>
  );
}
