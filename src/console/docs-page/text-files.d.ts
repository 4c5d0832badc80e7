/** What `import … with { type: 'text' }` gives. */
declare module '*.css' {
  const text: string;

  // biome-ignore lint/style/noDefaultExport: an imported text is the module's default
  export { text as default };
}
declare module '*docs.js' {
  const text: string;

  // biome-ignore lint/style/noDefaultExport: an imported text is the module's default
  export { text as default };
}
