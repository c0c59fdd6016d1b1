// openapi/released.json is what clients rely on. A change that would break one is declared in openapi/CHANGELOG.md.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { breaking, undeclared } from "./breaking.mjs";

const file = (name) => readFileSync(new URL(`../../openapi/${name}`, import.meta.url), "utf8");
const document = () => JSON.parse(file("openapi.json"));

test("a change that would break a client is declared", () => {
  const missing = undeclared(JSON.parse(file("released.json")), document(), file("CHANGELOG.md"));
  const remedy = 'Add to openapi/CHANGELOG.md, in "## Unreleased" under "### Breaking":';
  assert.equal(missing.length, 0, `this would break clients. ${remedy}\n${missing.join("\n")}\n`);
});

const operation = (document, id) =>
  Object.values(document.paths).flatMap(Object.values).find(({ operationId }) => operationId === id);
const schema = (document, name) => document.components.schemas[name];
const limit = (document) => operation(document, "list_kpis").parameters.find(({ name }) => name === "limit");
const area = { name: "area", in: "query", required: false, schema: { type: "string" } };
const without = (list, value) => list.filter((one) => one !== value);

/** What is done to the document, and the line that it has to give: all of them, and no others. */
const breaks = [
  [
    "an operation is removed",
    (now) => delete now.paths["/api/v1/kpis/{kpi_id}"].get,
    "- `read_kpi`: is not there any more",
  ],
  [
    "an operation gets another id",
    (now) => (operation(now, "read_kpi").operationId = "get_kpi"),
    "- `read_kpi`: is called `get_kpi` now",
  ],
  [
    "an operation needs a sign-in",
    (now) => (operation(now, "list_kpis").security = [{ bearer: [] }]),
    "- `list_kpis`: needs more than no sign-in now",
  ],
  [
    "a parameter is removed",
    (now) => (operation(now, "list_kpis").parameters = without(operation(now, "list_kpis").parameters, limit(now))),
    "- `list_kpis query limit`: is not taken any more",
  ],
  [
    "a parameter becomes required",
    (now) => (limit(now).required = true),
    "- `list_kpis query limit`: is required now",
  ],
  [
    "a required parameter is added",
    (now) => operation(now, "list_kpis").parameters.push({ ...area, required: true }),
    "- `list_kpis query area`: is required now",
  ],
  [
    "a bound becomes tighter",
    (now) => (limit(now).schema.maximum = 100),
    "- `list_kpis query limit`: maximum was `200`, is `100`",
  ],
  [
    "a default changes",
    (now) => (limit(now).schema.default = 10),
    "- `list_kpis query limit`: default was `50`, is `10`",
  ],
  [
    "a parameter has another type",
    (now) => (limit(now).schema.type = "boolean"),
    "- `list_kpis query limit`: does not take `integer` any more",
  ],
  [
    "a body has a new required field",
    (now) => {
      schema(now, "KpiFields").properties.area = { type: "string" };
      schema(now, "KpiFields").required.push("area");
    },
    "- `request KpiFields.area`: is required now",
  ],
  [
    "a field becomes required",
    (now) => schema(now, "KpiFields").required.push("unit"),
    "- `request KpiFields.unit`: is required now",
  ],
  [
    "a field of a body is removed",
    (now) => delete schema(now, "KpiFields").properties.unit,
    "- `request KpiFields.unit`: is not taken any more",
  ],
  [
    "a body takes no null any more",
    (now) => (schema(now, "KpiFields").properties.decimals.type = "integer"),
    "- `request KpiFields.decimals`: does not take `null` any more",
  ],
  [
    "a value is removed from a list of values",
    (now) => (schema(now, "AreaRule").enum = without(schema(now, "AreaRule").enum, "ratio")),
    "- `request AreaRule`: does not take `ratio` any more",
  ],
  [
    "a text has to be shorter",
    (now) => (schema(now, "Name").maxLength = 100),
    "- `request Name`: maxLength was `300`, is `100`",
  ],
  [
    "an answer has longer texts",
    (now) => (schema(now, "Name").maxLength = 500),
    "- `response Name`: maxLength was `300`, is `500`",
  ],
  [
    "an answer has a new value of a list",
    (now) => schema(now, "AreaRule").enum.push("mean"),
    "- `response AreaRule`: can be `mean` now",
  ],
  [
    "a field of an answer is removed",
    (now) => {
      delete schema(now, "Kpi").properties.unit;
      schema(now, "Kpi").required = without(schema(now, "Kpi").required, "unit");
    },
    "- `response Kpi.unit`: is not given any more",
  ],
  [
    "a field of an answer can be absent",
    (now) => (schema(now, "Kpi").required = without(schema(now, "Kpi").required, "unit")),
    "- `response Kpi.unit`: can be absent now",
  ],
  [
    "a field of an answer can be null",
    (now) => (schema(now, "Kpi").properties.counts_people.type = ["boolean", "null"]),
    "- `response Kpi.counts_people`: can be `null` now",
  ],
  [
    "a field of an answer has another type",
    (now) => (schema(now, "Kpi").properties.position.type = "string"),
    "- `response Kpi.position`: can be `string` now",
  ],
  [
    "a field of an answer has another format",
    (now) => delete schema(now, "Kpi").properties.created_at.format,
    '- `response Kpi.created_at`: format was `"date-time"`, is nothing',
  ],
  [
    "a field of a record in a list is removed",
    (now) => delete schema(now, "FieldError").properties.path,
    "- `response FieldError.path`: is not given any more",
  ],
  [
    "a success has another status",
    (now) => {
      const { responses } = operation(now, "create_kpi");
      responses[200] = responses[201];
      delete responses[201];
    },
    "- `create_kpi 200`: can be the answer now",
    "- `create_kpi 201`: is not answered any more",
  ],
  [
    "a header of an answer is removed",
    (now) => delete operation(now, "create_kpi").responses[201].headers.ETag,
    "- `create_kpi 201 ETag`: is not given any more",
  ],
  [
    "a form of an answer is removed",
    (now) => delete operation(now, "list_observations_of_kpi").responses[200].content["text/csv"],
    "- `list_observations_of_kpi 200 text/csv`: is not given any more",
  ],
];

for (const [what, change, ...lines] of breaks) {
  test(`${what}: refused, unless it is declared`, () => {
    const [old, now] = [document(), document()];
    change(now);
    const log = (...declared) => `# Changes\n\n## Unreleased\n### Breaking\n${declared.join("\n")}\n\n## 0.1.0\n`;
    assert.deepEqual(undeclared(old, now, log()), lines);
    assert.deepEqual(undeclared(old, now, log(...lines.map((line) => `${line}; use something else.`))), []);
    // What an earlier version declared says nothing about this one.
    assert.deepEqual(undeclared(old, now, `${log()}### Breaking\n${lines.join("\n")}\n`), lines);
  });
}

test("what no client notices needs no declaration", () => {
  const [old, now] = [document(), document()];
  now.paths["/api/v1/areas"] = { get: { ...operation(now, "list_kpis"), operationId: "list_areas" } };
  operation(now, "list_kpis").parameters.push(area);
  operation(now, "list_kpis").summary = "Other words.";
  operation(now, "list_clients").security = [{}];
  limit(now).schema.maximum = 500;
  schema(now, "KpiFields").properties.area = { type: "string" };
  schema(now, "KpiFields").required = [];
  schema(now, "Kpi").properties.area = { type: "string" };
  schema(now, "Kpi").required.push("area");
  assert.deepEqual(breaking(old, now), []);
});
