/** What `import … with { type: 'text' }` gives. */
declare module '*.sql' {
  const text: string;

  // biome-ignore lint/style/noDefaultExport: an imported text is the module's default
  export { text as default };
}
