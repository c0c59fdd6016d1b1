import { useQueries, useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { client, everyPage, type components } from "../../api";
import { Button, Notice, TextField } from "../../ui";

type Municipality = components["schemas"]["Municipality"];

const load = (query: { kind?: string; prefecture_code?: string; search?: string }) =>
  everyPage((after) =>
    client.GET("/api/v1/municipalities", { params: { query: { ...query, after, limit: 200 } } }).then(({ data }) => data ?? { items: [] }),
  );

/** Municipalities by code: one question per prefecture, asked once a day at most. */
export function useMunicipalities(codes: readonly string[]) {
  const prefectures = useQuery({ queryKey: ["municipalities", "prefectures"], queryFn: () => load({ kind: "prefecture" }), staleTime: 86_400_000 });
  const wanted = [...new Set(codes.map((code) => code.slice(0, 2)))].flatMap(
    (start) => prefectures.data?.find(({ code }) => code.startsWith(start))?.code ?? [],
  );
  const lists = useQueries({
    queries: wanted.map((prefecture_code) => ({
      queryKey: ["municipalities", prefecture_code],
      queryFn: () => load({ prefecture_code }),
      staleTime: 86_400_000,
    })),
  });
  return new Map([...(prefectures.data ?? []), ...lists.flatMap(({ data }) => data ?? [])].map((one) => [one.code, one]));
}

/** 鳥取県：鳥取市、智頭町／兵庫県：新温泉町, in the order of the record; names alone are not unique in Japan. */
export function MunicipalityNames({ codes }: { codes: readonly string[] }) {
  const known = useMunicipalities(codes);
  if (codes.length === 0) return <span className="text-solid-gray-700">未入力</span>;
  const groups = new Map<string, string[]>();
  for (const code of codes) {
    const one = known.get(code);
    const prefecture = one && one.prefecture_code !== code ? one.prefecture_name : "";
    groups.set(prefecture, [...(groups.get(prefecture) ?? []), one?.name ?? code]);
  }
  return (
    <>
      {[...groups].map(([prefecture, names]) => (
        <span key={prefecture} className="block">
          {prefecture && `${prefecture}：`}
          {names.join("、")}
        </span>
      ))}
    </>
  );
}

/** The municipalities of an area: found by name, reading or code, kept in the order chosen. */
export function MunicipalityPicker({ codes, onChange }: { codes: readonly string[]; onChange: (codes: string[]) => void }) {
  const known = useMunicipalities(codes);
  const [typed, setTyped] = useState("");
  const [found, setFound] = useState<Municipality[]>();
  const [failure, setFailure] = useState<string>();
  const search = async (event?: FormEvent) => {
    event?.preventDefault();
    const text = typed.normalize("NFKC").trim();
    if (!text) return;
    setFailure(undefined);
    try {
      const { data } = await client.GET("/api/v1/municipalities", { params: { query: { search: text, limit: 20 } } });
      setFound(data?.items ?? []);
    } catch (error) {
      setFailure(error instanceof Error ? error.message : "検索できませんでした。");
    }
  };
  return (
    <fieldset className="grid gap-2">
      <legend className="font-bold">構成市町村</legend>
      <ul className="flex flex-wrap gap-2">
        {codes.map((code) => {
          const name = known.get(code)?.name ?? code;
          return (
            <li key={code} className="flex items-center gap-1 rounded-8 border border-solid-gray-420 ps-3">
              {name}
              <Button variant="text" size="sm" aria-label={`${name}を外す`} onClick={() => onChange(codes.filter((one) => one !== code))}>
                外す
              </Button>
            </li>
          );
        })}
      </ul>
      <TextField
        label={<span className="font-normal">市町村を探して追加</span>}
        hint="名前、ふりがな、団体コードの一部を入力して「探す」を押してください。"
        size="sm"
        value={typed}
        onChange={setTyped}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
          // The field stands inside the form of the platform: Enter here searches, it does not save.
          event.preventDefault();
          void search();
        }}
        action={
          <Button variant="secondary" size="sm" className="shrink-0" onClick={() => void search()}>
            探す
          </Button>
        }
      />
      {failure && <Notice tone="error" live>{failure}</Notice>}
      {found && (
        <div role="status">
          {found.length === 0 ? (
            <p>見つかりません。短い言葉で探してください。</p>
          ) : (
            <ul className="flex flex-wrap gap-2">
              {found.map((one) => (
                <li key={one.code}>
                  <Button
                    variant="secondary"
                    size="sm"
                    disabledReason={codes.includes(one.code) ? "すでに追加しています" : undefined}
                    onClick={() => onChange([...codes, one.code])}
                  >
                    ＋ {one.code === one.prefecture_code ? "" : one.prefecture_name}
                    {one.name}（{one.code}）
                  </Button>
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
    </fieldset>
  );
}
