// What of a change to the document would break a client: a request that was accepted is refused, or an answer comes
// that could not come before. New fields of answers are neither: clients ignore what they do not know.
import { isDeepStrictEqual as same } from "node:util";

const METHODS = ["get", "put", "post", "patch", "delete"];
/** Keywords that say nothing about which values are valid. */
const REMARKS = ["title", "description", "example", "examples", "default", "deprecated", "$comment"];
/** Keywords that are compared with the fields of an object. */
const OBJECT = ["type", "properties", "required", "additionalProperties"];
const LOWEST = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
const HIGHEST = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
/** Types and formats that have all values of others. */
const COMPRISES = { number: ["integer"], int64: ["int32"] };

/** The breaking changes that the change log does not declare; behind a declared line may stand why, and what to do. */
export function undeclared(released, current, changelog) {
  const section = (text, heading, end) => text.split(new RegExp(`^${heading}$`, "m"))[1]?.split(end)[0] ?? "";
  const declared = section(section(changelog, "## Unreleased", /^## /m), "### Breaking", /^### /m).split("\n");
  return breaking(released, current).filter((line) => !declared.some((one) => one.startsWith(line)));
}

/** The breaking changes from one document to another, as lines for the change log. */
export function breaking(released, current) {
  // What was sent before has to be accepted; what comes now has to be what was promised.
  const requests = { asked: true, wide: current, narrow: released, told: new Map() };
  const answers = { asked: false, wide: released, narrow: current, told: new Map() };
  const request = (old, now, at) => accepts(requests, now, old, at);
  const answer = (old, now, at) => accepts(answers, old, now, at);
  return [...new Set(documents())];

  function* documents() {
    const after = operations(current);
    for (const [address, old] of operations(released)) {
      const now = after.get(address);
      if (now) yield* operation(old.operationId, old, now);
      else yield say(old.operationId, "is not there any more");
    }
    for (const [name, scheme] of Object.entries(released.components?.securitySchemes ?? {})) {
      const kept = same(scheme, current.components?.securitySchemes?.[name]);
      if (!kept) yield say(`security ${name}`, "is another one now");
    }
    if (!same(released.servers, current.servers)) yield say("servers", "are others now");
  }

  function* operation(id, old, now) {
    if (now.operationId !== id) yield say(id, `is called \`${now.operationId}\` now`);
    for (const way of old.security ?? [{}]) {
      const enough = (now.security ?? [{}]).some((other) => Object.keys(other).every((scheme) => scheme in way));
      if (!enough) yield say(id, `needs more than ${Object.keys(way).join(" and ") || "no sign-in"} now`);
    }
    yield* parameters(id, old.parameters, now.parameters);
    yield* body(`${id} body`, old.requestBody, now.requestBody);
    yield* responses(id, old.responses, now.responses);
  }

  function* parameters(id, before, after) {
    const at = (one) => `${id} ${one.in} ${one.name}`;
    const find = (list, wanted) => list.find((one) => at(one) === at(wanted));
    for (const old of before) if (!find(after, old)) yield say(at(old), "is not taken any more");
    for (const now of after) {
      const old = find(before, now);
      if (now.required && !old?.required) yield say(at(now), "is required now");
      if (!old) continue;
      for (const keyword of ["style", "explode"]) {
        if (!same(old[keyword], now[keyword])) yield changed(at(now), keyword, old, now);
      }
      yield* request(old.schema, now.schema, at(now));
    }
  }

  function* body(at, old, now) {
    if (!now) return yield* old ? [say(at, "is not taken any more")] : [];
    if (now.required && !old?.required) yield say(at, "is required now");
    yield* contents(at, old?.content, now.content, "is not taken any more", request);
  }

  function* responses(id, before, after) {
    const success = (status) => /^[23]/.test(status);
    for (const status of Object.keys(after)) {
      if (success(status) && !(status in before)) yield say(`${id} ${status}`, "can be the answer now");
    }
    for (const [status, old] of Object.entries(before)) {
      const at = `${id} ${status}`;
      const now = after[status];
      if (now) {
        yield* contents(at, old.headers, now.headers, "is not given any more", answer);
        yield* contents(at, old.content, now.content, "is not given any more", answer);
      } else if (success(status)) yield say(at, "is not answered any more");
    }
  }

  /** Bodies by media type, or headers by name. */
  function* contents(at, before = {}, after = {}, gone, compare) {
    for (const [name, old] of Object.entries(before)) {
      if (name in after) yield* compare(old.schema ?? {}, after[name].schema ?? {}, `${at} ${name}`);
      else yield say(`${at} ${name}`, gone);
    }
  }
}

/** Why the wide schema does not accept all that the narrow one does. */
function* accepts(side, wide, narrow, at) {
  const wides = [...alternatives(side.wide, wide)];
  for (const one of alternatives(side.narrow, narrow)) {
    const type = one.schema.type;
    const fitting = wides.filter((other) => other.schema.type === "any" || includes(other.schema.type, type));
    const tries = fitting.map((other) => alternative(side, other, one, at));
    yield* tries.sort((a, b) => a.length - b.length)[0] ?? [say(at, taken(side, type))];
  }
}

/** Components are compared once and told by their own name, wherever they are used. */
function alternative(side, wide, narrow, at) {
  if (!wide.name || !narrow.name) return [...values(side, wide.schema, narrow.schema, at)];
  const pair = `${wide.key} ${narrow.key}`;
  if (!side.told.has(pair)) {
    side.told.set(pair, []); // For a type that contains itself.
    const place = wide.name === narrow.name ? `${side.asked ? "request" : "response"} ${wide.name}` : at;
    side.told.set(pair, [...values(side, wide.schema, narrow.schema, place)]);
  }
  return side.told.get(pair);
}

function* values(side, wide, narrow, at) {
  const [old, now] = side.asked ? [narrow, wide] : [wide, narrow];
  if (wide.type === "object") yield* fields(side, wide, narrow, old, now, at);
  if (side.asked && "default" in old && !same(old.default, now.default)) yield changed(at, "default", old, now);
  for (const [keyword, value] of Object.entries(wide)) {
    const other = narrow[keyword];
    if (REMARKS.includes(keyword) || OBJECT.includes(keyword)) continue;
    if (keyword === "items" || keyword === "propertyNames") yield* accepts(side, value, other ?? {}, `${at}[]`);
    else if (keyword === "enum" && other) {
      for (const one of other) if (!value.includes(one)) yield say(at, taken(side, one));
    } else if (!(LOWEST.includes(keyword) && other >= value) && !(HIGHEST.includes(keyword) && other <= value)) {
      // A keyword that is not known here counts too: somebody has to look.
      if (!includes(value, other)) yield changed(at, keyword, old, now);
    }
  }
}

function* fields(side, wide, narrow, old, now, at) {
  const required = ({ required: names = [] }) => names;
  for (const name of required(wide)) {
    if (required(narrow).includes(name)) continue;
    if (side.asked) yield say(`${at}.${name}`, "is required now");
    else if (now.properties?.[name]) yield say(`${at}.${name}`, "can be absent now");
  }
  for (const name of Object.keys(old.properties ?? {})) {
    const place = `${at}.${name}`;
    if (now.properties?.[name]) yield* accepts(side, wide.properties[name], narrow.properties[name], place);
    else if (!side.asked) yield say(place, "is not given any more");
    else if (now.additionalProperties === false) yield say(place, "is not taken any more");
  }
  const [rest = true, other = true] = [wide.additionalProperties, narrow.additionalProperties];
  if (typeof rest === "object" && other) yield* accepts(side, rest, other === true ? {} : other, `${at}.*`);
  else if (side.asked && !rest && other) yield say(at, "takes no other fields any more");
}

/** The plain schemas that a schema is one of, each with the name of its component and a key of its own in there. */
function* alternatives(document, schema, name, key = name) {
  const { $ref, oneOf, anyOf, ...own } = schema;
  if ($ref) {
    const target = Object.keys(own).every((keyword) => REMARKS.includes(keyword)) ? $ref.split("/").at(-1) : undefined;
    yield* alternatives(document, { ...resolved(document, schema), ...own }, target);
  } else if (oneOf ?? anyOf) {
    for (const [index, one] of (oneOf ?? anyOf).entries()) {
      yield* alternatives(document, { ...own, ...one }, name, `${key}/${index}`);
    }
  } else for (const type of [own.type ?? "any"].flat()) yield { name, key: `${key}/${type}`, schema: { ...own, type } };
}

/** Operations by method and path, with what they take from their path and from the document. */
function operations(document) {
  const all = Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => {
      const operation = item[method];
      const whole = {
        ...operation,
        security: operation.security ?? document.security,
        parameters: [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((one) => resolved(document, one)),
        requestBody: resolved(document, operation.requestBody),
        responses: Object.fromEntries(
          Object.entries(operation.responses).map(([status, one]) => [status, resolved(document, one)]),
        ),
      };
      return [`${method} ${path}`, whole];
    }),
  );
  return new Map(all);
}

function resolved(document, node) {
  return node?.$ref ? node.$ref.slice(2).split("/").reduce((value, key) => value[key], document) : node;
}

function includes(wide, narrow) {
  return same(wide, narrow) || (COMPRISES[wide]?.includes(narrow) ?? false);
}

function taken(side, value) {
  return side.asked ? `does not take \`${value}\` any more` : `can be \`${value}\` now`;
}

function changed(at, keyword, old, now) {
  const text = (value) => (value === undefined ? "nothing" : `\`${JSON.stringify(value)}\``);
  return say(at, `${keyword} was ${text(old[keyword])}, is ${text(now[keyword])}`);
}

function say(at, what) {
  return `- \`${at}\`: ${what}`;
}
