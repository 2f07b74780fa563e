// ESLint's recommended rules. What tsc looks for is left to tsc.
import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["build/", "**/.*/"] },
  js.configs.recommended,
  {
    files: ["course_utils/**/*.js", "docs/site/static/*.js"],
    languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
  },
];
