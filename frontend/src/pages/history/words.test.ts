import { describe, expect, it } from "vitest";
import document from "../../../../openapi/openapi.json";
import { changesOf, codeWord, ENTITIES, fieldWord, isSaid, valueText } from "./words";

interface Schema {
  $ref?: string;
  oneOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  enum?: string[];
  properties?: Record<string, Schema>;
}

const schemas = document.components.schemas as unknown as Record<string, Schema>;

/** A schema and everything that it refers to, in which fields are still its own. */
function parts(schema: Schema): Schema[] {
  const next = [...(schema.oneOf ?? []), ...(schema.allOf ?? []), ...(schema.items ? [schema.items] : []), ...(schema.$ref ? [schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {}] : [])];
  return [schema, ...next.flatMap(parts)];
}

const singular = (entity: string) => entity.replace(/(?<!ser)ies$/, "y").replace(/(?<!serie)s$/, "").replace(/(^|_)(.)/g, (_, __, letter: string) => letter.toUpperCase());

function withoutWord(entity: string, schema: Schema): string[] {
  return parts(schema).flatMap(({ properties = {} }) =>
    Object.entries(properties).flatMap(([field, inner]) => [
      ...(isSaid(field) && fieldWord(entity, field) === field ? [`${entity}.${field}`] : []),
      ...parts(inner)
        .flatMap((part) => part.enum ?? [])
        // Nobody holds these roles as an account.
        .filter((code) => !["anonymous", "authenticator"].includes(code) && codeWord(entity, field, code) === undefined)
        .map((code) => `${entity}.${field}=${code}`),
      ...withoutWord(entity, inner),
    ]),
  );
}

describe("words of the history", () => {
  it("has a Japanese word for every field and every code of every kind of record", () => {
    const kinds = Object.keys(ENTITIES);
    expect([...kinds].sort()).toEqual([...(schemas.Entity?.enum ?? [])].sort());
    expect(kinds.filter((kind) => !schemas[singular(kind)])).toEqual([]);
    expect([...new Set(kinds.flatMap((kind) => withoutWord(kind, schemas[singular(kind)] ?? {})))]).toEqual([]);
  });

  it("says a change in the order of the document, and leaves out what was empty and stays empty", () => {
    const record = { id: "x", position: 3, text: "研修", kind: "planned", due_on: null, fiscal_year: 2024 };
    expect(changesOf({ operation: "I", record, changes: [] }).map(({ field }) => field)).toEqual(["fiscal_year", "kind", "text", "position"]);
  });

  it("reads prose as it is printed and says why a slot is empty", () => {
    const none = new Map<string, string>();
    expect(valueText("platform_years", "reactions", { state: "none", items: [] }, none)).toBe("（なし）");
    expect(valueText("platform_years", "reactions", { state: "entered", items: [{ marker: "●", text: "紙面に載った" }] }, none)).toBe("● 紙面に載った");
  });
});
