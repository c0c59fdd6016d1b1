import { hashKey, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { isApiError, subscribeToSession, currentIdentity } from "./api";
import { router } from "./app/router";
import { pastMoment } from "./lib/past";
import "./ui/styles.css";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // What was read of the past is kept apart from what is read now.
      queryKeyHashFn: (key) => hashKey([key, pastMoment()]),
      // A refused request stays refused; only what may pass by itself is tried again.
      retry: (count, error) => count < 2 && isApiError(error) && (error.status === 0 || error.status >= 500),
    },
  },
});

// What one person was shown must not appear to the next one on the same computer.
let shownTo = currentIdentity()?.id;
subscribeToSession(() => {
  const now = currentIdentity()?.id;
  if (now !== shownTo) queries.clear();
  shownTo = now;
});

const element = document.getElementById("root");
if (!element) throw new Error("index.html has no #root");
createRoot(element).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
