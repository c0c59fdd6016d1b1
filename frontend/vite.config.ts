import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  server: {
    port: 5173,
    strictPort: true,
    // The server compares Origin and Host at sign-in: the Host of the browser must reach it.
    proxy: { "/api": { target: process.env.TSUNAGI_URL ?? "http://127.0.0.1:8080", changeOrigin: false } },
  },
  // Fonts stay files (the browser fetches only the subsets a page needs), and the content
  // security policy of the server allows no data: fonts.
  build: { target: "es2022", assetsInlineLimit: 0 },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test-setup.ts"],
    restoreMocks: true,
  },
});
