import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, fieldErrors, useWrite, type components } from "../../api";
import { announce, Button, Combobox, fieldsOf, FormDialog, TextField, type FieldErrors, type Option } from "../../ui";
import type { KpiDetail, Series } from "./words";

type Fields = components["schemas"]["KpiSeriesFields"];

export const findOrganizations = async (search: string): Promise<Option[]> => {
  const { data } = await client.GET("/api/v1/organizations", { params: { query: { search: search || undefined, limit: 20 } } });
  return data?.items.map(({ id, name }) => ({ value: id, label: name })) ?? [];
};

/** Names occur more than once (南部町 three times): the prefecture goes with them. */
export const findMunicipalities = async (search: string): Promise<Option[]> => {
  const { data } = await client.GET("/api/v1/municipalities", { params: { query: { search: search || undefined, limit: 20 } } });
  return data?.items.map(({ code, name, prefecture_name: prefecture }) => ({ value: code, label: prefecture === name ? name : `${prefecture}${name}` })) ?? [];
};

/** A further line of values: an area, an organisation, values of dimensions. The line of the whole is always there. */
export function SeriesForm({ kpi, series, onClose, onSaved }: { kpi: KpiDetail; series: readonly Series[]; onClose: () => void; onSaved: (id: string) => void }) {
  const queries = useQueryClient();
  const [municipality, setMunicipality] = useState<Option | null>(null);
  const [organization, setOrganization] = useState<Option | null>(null);
  const [district, setDistrict] = useState("");
  const [dimensions, setDimensions] = useState([{ name: "", value: "" }]);
  const [gaps, setGaps] = useState<FieldErrors>({});
  const { busy, error, run } = useWrite();
  const named = dimensions.filter(({ name, value }) => name.trim() || value.trim());

  const save = async () => {
    const errors: FieldErrors = {};
    if (!municipality && !organization && !district.trim() && named.length === 0) errors["/municipality_code"] = "市区町村、地区、団体、区分のどれかを入力してください。";
    if (named.some(({ name, value }) => !name.trim() || !value.trim())) errors["/dimensions"] = "区分は、区分名と値の両方を入力してください。";
    setGaps(errors);
    if (Object.keys(errors).length > 0) return;
    const body: Fields = {
      kpi_id: kpi.id,
      municipality_code: municipality?.value ?? null,
      district: district.trim() || null,
      organization_id: organization?.value ?? null,
      dimensions: Object.fromEntries(named.map(({ name, value }) => [name.trim(), value.trim()])),
      position: Math.max(0, ...series.map(({ position }) => position)) + 1,
    };
    const made = await run(body, (header) => client.POST("/api/v1/kpi-series", { params: { header }, body }));
    if (!made?.data) return;
    await queries.invalidateQueries();
    announce("系列を追加しました");
    onClose();
    onSaved(made.data.id);
  };

  const errors = { ...fieldErrors(error?.problem), ...gaps };
  const field = fieldsOf("series", errors);
  return (
    <FormDialog
      open
      form="series"
      title="系列の追加"
      submitLabel="追加する"
      errors={errors}
      failure={error}
      busy={busy}
      dirty={Boolean(municipality ?? organization) || district !== "" || named.length > 0}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <p>全体とは別に、地域、団体、年代などの区分ごとに値を記録する線を加えます。</p>
      <Combobox label="市区町村" required={false} hint="名前の一部を入力して選びます" value={municipality} onChange={setMunicipality} search={findMunicipalities} {...field("/municipality_code")} />
      <TextField label="地区" required={false} hint="例：高草地区" maxLength={300} value={district} onChange={setDistrict} {...field("/district")} />
      <Combobox
        label="団体"
        required={false}
        hint="この団体の編集者も、この系列の値を入力できます"
        value={organization}
        onChange={setOrganization}
        search={findOrganizations}
        {...field("/organization_id")}
      />
      <fieldset className="grid gap-3">
        <legend className="font-bold">区分</legend>
        {dimensions.map((dimension, index) => {
          const change = (part: Partial<typeof dimension>) => setDimensions((now) => now.map((old, at) => (at === index ? { ...old, ...part } : old)));
          return (
            // The rows have no other identity than their place.
            <div key={index} className="grid gap-x-4 md:grid-cols-2">
              <TextField label={`区分名${index + 1}`} hint="例：年代" value={dimension.name} onChange={(name) => change({ name })} {...(index === 0 && field("/dimensions"))} />
              <TextField label={`値${index + 1}`} hint="例：20代" value={dimension.value} onChange={(value) => change({ value })} />
            </div>
          );
        })}
        <div>
          <Button variant="secondary" size="sm" onClick={() => setDimensions((now) => [...now, { name: "", value: "" }])}>
            区分を増やす
          </Button>
        </div>
      </fieldset>
    </FormDialog>
  );
}
