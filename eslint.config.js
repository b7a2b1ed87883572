// Lint rules: strict types everywhere, and RxJS used in the ways that do not leak.
import rxjs from 'eslint-plugin-rxjs-x';
import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist*/', 'node_modules/', 'native/build/', 'coverage/', '.cache/', 'scripts/'] },
  {
    files: ['**/*.ts', '**/*.svelte'],
    extends: [...tseslint.configs.strictTypeChecked, rxjs.configs.recommended],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.svelte'],
      },
    },
    rules: {
      // Names that begin with an underscore are there to be left out of what is spread.
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'rxjs-x/no-exposed-subjects': 'error',
      // The types of the ws package declare its class twice.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
    },
  },
  ...svelte.configs.recommended,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    rules: {
      // Pages are parts of the address after `#`, and files are the server's: there are no routes of a framework.
      'svelte/no-navigation-without-resolve': 'off',
      // For dates that are kept; here they are made and used up.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
  {
    // Fakes answer at once to interfaces that are asynchronous for the real part's sake.
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/require-await': 'off' },
  },
);
