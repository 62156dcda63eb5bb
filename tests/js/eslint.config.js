// From the root of the project: tests/js/node_modules/.bin/eslint --config tests/js/eslint.config.js stylewidgets tests/js
import js from "@eslint/js";
import globals from "globals";

const rules = {
  ...js.configs.recommended.rules,
  complexity: ["error", 24],
  eqeqeq: "error",
  "max-depth": ["error", 5],
  "max-len": ["error", { code: 130 }],
  "no-console": ["error", { allow: ["warn"] }],
  "no-eval": "error",
  "no-implied-eval": "error",
  "no-shadow": "error",
  "no-use-before-define": ["error", { functions: false, variables: false }],
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": ["error", { destructuring: "all" }],
  "prefer-template": "error",
};

// A view is one module, put together from files (esm.py): the later ones use what the earlier ones define.
const parts = {
  "**/dom.js": ["element"],
  "**/resample.js": ["createResampler"],
  "**/input.js": ["createInput"],
  "**/names.js": ["keepNames"],
  "**/live.js": ["LIVE", "takeAcks", "awaiting", "tellRest"],
  "**/requests.js": ["createRequests"],
  "**/row.js": ["createRow"],
};
const readable = (...names) => Object.fromEntries(names.map((name) => [name, "readonly"]));

export default [
  { files: ["stylewidgets/**/*.js"], languageOptions: { globals: globals.browser }, rules },
  { files: ["tests/js/**/*.js"], languageOptions: { globals: globals.nodeBuiltin }, rules },
  ...Object.entries(parts).map(([file, names]) => ({
    files: [file],
    rules: { "no-unused-vars": ["error", { varsIgnorePattern: `^(${names.join("|")})$` }] },
  })),
  { files: ["**/views/*.js"], ignores: ["**/dom.js"], languageOptions: { globals: readable("element") } },
  {
    files: ["**/view.js"],
    languageOptions: { globals: readable("LIVE", "takeAcks", "awaiting", "createResampler", "createInput") },
  },
  { files: ["**/requests.js"], languageOptions: { globals: readable("LIVE") } },
  {
    files: ["**/rows.js"],
    languageOptions: { globals: readable("takeAcks", "tellRest", "createRequests", "createRow") },
  },
  {
    files: ["**/walk_map.js", "**/orbit.js", "**/angle_pad.js", "**/figure.js"],
    languageOptions: { globals: readable("takeAcks", "tellRest", "createRequests") },
  },
  { files: ["**/tab_bar.js"], languageOptions: { globals: readable("keepNames") } },
];
