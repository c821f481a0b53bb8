import react from '@vitejs/plugin-react'
import { loadEnv } from 'vite'
import { defineConfig } from 'vitest/config'

// The server puts a fresh value in the place of NONCE, and its base path into <base href>, each time
// it gives out index.html: so the same build works behind any proxy and under a strict policy.
export const NONCE = '__MOORING_NONCE__'

// `npm run dev` beside a server: MOORING=http://127.0.0.1:9000 says where it is.
const { MOORING = 'http://127.0.0.1:8321' } = loadEnv('development', '.', 'MOORING')

export default defineConfig({
  base: './',
  plugins: [react()],
  html: { cspNonce: NONCE },
  resolve: { alias: { '#': new URL('./src', import.meta.url).pathname } },
  server: { proxy: { '/api': MOORING } },
  build: { outDir: 'dist', target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  test: {
    environment: 'jsdom',
    // One jsdom and one reading of Mantine for all files of a worker, in a fifth of the time: what a
    // test leaves behind is put away by test/setup.ts.
    isolate: false,
    globals: false,
    setupFiles: ['./test/setup.ts'],
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
  },
})
