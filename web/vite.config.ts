import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig, loadEnv } from 'vite';

const SERVER_PATHS = [
  '/api',
  '/auth',
  '/rest',
  '/realtime',
  '/storage',
  '/openapi.json',
  '/healthz',
  '/readyz',
];

export default defineConfig(({ mode }) => {
  const environment = loadEnv(mode, process.cwd(), 'VITE_');
  const target = environment.VITE_TENON_URL ?? 'http://127.0.0.1:8000';
  return {
    plugins: [react()],
    resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
    server: {
      proxy: Object.fromEntries(SERVER_PATHS.map((path) => [path, { target, changeOrigin: true }])),
    },
    // The server's content policy allows no files inside of others.
    build: { target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  };
});
