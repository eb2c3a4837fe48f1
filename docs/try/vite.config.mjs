/** Builds the page into dist/try, as files that any file server can give out from any folder. */
export default {
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  build: {
    outDir: '../../dist/try',
    emptyOutDir: true,
    target: 'es2023',
    modulePreload: false,
    chunkSizeWarningLimit: 400,
  },
};
