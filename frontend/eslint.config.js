import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

/** Layers, from the inside out: lib <- ui, lib <- api, {lib, ui, api} <- pages <- app. Never back. */
const forbid = (files, layers, message) => ({
  files,
  rules: {
    "no-restricted-imports": [
      "error",
      { patterns: [{ group: layers.map((layer) => `**/${layer}/**`).concat(layers.map((layer) => `**/${layer}`)), message }] },
    ],
  },
});

export default tseslint.config(
  { ignores: ["dist", "src/api/schema.gen.ts"] },
  ...tseslint.configs.recommended,
  jsxA11y.flatConfigs.recommended,
  reactHooks.configs.flat.recommended,
  {
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      eqeqeq: "error",
      "no-console": "error",
    },
  },
  forbid(["src/lib/**"], ["api", "ui", "pages", "app"], "lib imports nothing of ours."),
  forbid(["src/ui/**"], ["api", "pages", "app"], "ui knows no API and no page; it may use lib."),
  forbid(["src/api/**"], ["ui", "pages", "app"], "api knows no screen; it may use lib."),
  forbid(["src/pages/**"], ["app"], "pages use api, ui and lib; the app assembles pages, never the other way round."),
  { files: ["scripts/**"], rules: { "no-console": "off" } },
);
