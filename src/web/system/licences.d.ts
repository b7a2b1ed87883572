// Made by the build from package-lock.json (vite.config.ts).
declare module 'virtual:licences' {
  export const licences: readonly {
    readonly name: string;
    readonly version: string;
    readonly license: string;
  }[];
}
