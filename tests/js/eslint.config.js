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

// One module is made of these three (view.py): the last uses what the others define.
const parts = { "**/resample.js": "createResampler", "**/input.js": "createInput" };
const shared = Object.values(parts);

export default [
  { files: ["stylewidgets/**/*.js"], languageOptions: { globals: globals.browser }, rules },
  { files: ["tests/js/**/*.js"], languageOptions: { globals: globals.nodeBuiltin }, rules },
  ...Object.entries(parts).map(([file, name]) => ({
    files: [file],
    rules: { "no-unused-vars": ["error", { varsIgnorePattern: `^${name}$` }] },
  })),
  { files: ["**/view.js"], languageOptions: { globals: Object.fromEntries(shared.map((name) => [name, "readonly"])) } },
];
