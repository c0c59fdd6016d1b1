import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect, retainSearchParams } from "@tanstack/react-router";
import { ensureSession } from "../api";
import { ErrorState, Loading } from "../ui";
import { Root } from "./Root";

/** Parameters of the address are plain texts: `?fy=2024&tab=members`, readable in a mail. */
type Search = Record<string, unknown> & { fy?: string | number; as_of?: string; redirect?: string };

const PUBLIC = new Set(["/sign-in", ...(import.meta.env.DEV ? ["/gallery"] : [])]);

const root = createRootRoute({
  component: Root,
  validateSearch: (search: Record<string, unknown>) => search as Search,
  search: { middlewares: [retainSearchParams(["fy"])] },
  beforeLoad: async ({ location }) => {
    if (PUBLIC.has(location.pathname) || (await ensureSession())) return;
    throw redirect({ to: "/sign-in", search: { redirect: location.href } });
  },
  notFoundComponent: lazyRouteComponent(() => import("../pages/not-found")),
  errorComponent: ({ error, reset }) => <ErrorState error={error} onRetry={reset} />,
});

/** From record to record a past moment stays; elsewhere it ends. */
const record = { search: { middlewares: [retainSearchParams<Search>(["as_of"])] } };

/** One line per page. A page is the default export of its folder and is loaded when first visited. */
const routes = [
  createRoute({ getParentRoute: () => root, path: "/sign-in", component: lazyRouteComponent(() => import("../pages/sign-in")) }),
  createRoute({ getParentRoute: () => root, path: "/", component: lazyRouteComponent(() => import("../pages/home")) }),
  createRoute({ getParentRoute: () => root, path: "/platforms", ...record, component: lazyRouteComponent(() => import("../pages/platforms")) }),
  createRoute({ getParentRoute: () => root, path: "/platforms/$platformId", ...record, component: lazyRouteComponent(() => import("../pages/platform")) }),
  createRoute({ getParentRoute: () => root, path: "/projects/$projectId", ...record, component: lazyRouteComponent(() => import("../pages/project")) }),
  createRoute({ getParentRoute: () => root, path: "/plans", ...record, component: lazyRouteComponent(() => import("../pages/plans")) }),
  createRoute({ getParentRoute: () => root, path: "/plans/$planId", ...record, component: lazyRouteComponent(() => import("../pages/plan")) }),
  createRoute({ getParentRoute: () => root, path: "/kpis", ...record, component: lazyRouteComponent(() => import("../pages/kpis")) }),
  createRoute({ getParentRoute: () => root, path: "/kpis/$kpiId", ...record, component: lazyRouteComponent(() => import("../pages/kpi")) }),
  createRoute({ getParentRoute: () => root, path: "/admin/users", component: lazyRouteComponent(() => import("../pages/admin-users")) }),
  createRoute({ getParentRoute: () => root, path: "/admin/organizations", component: lazyRouteComponent(() => import("../pages/admin-organizations")) }),
  createRoute({ getParentRoute: () => root, path: "/admin/clients", component: lazyRouteComponent(() => import("../pages/admin-clients")) }),
  createRoute({ getParentRoute: () => root, path: "/admin/webhooks", component: lazyRouteComponent(() => import("../pages/admin-webhooks")) }),
  createRoute({ getParentRoute: () => root, path: "/sync", component: lazyRouteComponent(() => import("../pages/sync")) }),
  createRoute({ getParentRoute: () => root, path: "/sync/$runId", component: lazyRouteComponent(() => import("../pages/sync-run")) }),
  createRoute({ getParentRoute: () => root, path: "/history/$entity/$id", component: lazyRouteComponent(() => import("../pages/history")) }),
] as const;

/** Every component in every state, for those who build pages; not part of the product. */
const gallery = import.meta.env.DEV
  ? [createRoute({ getParentRoute: () => root, path: "/gallery", component: lazyRouteComponent(() => import("../pages/gallery")) })]
  : [];

export const router = createRouter({
  routeTree: root.addChildren([...routes, ...gallery] as unknown as typeof routes),
  defaultPendingComponent: Loading,
  defaultPreload: "intent",
  scrollRestoration: true,
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const pairs = Object.entries(search).filter(([, value]) => value !== undefined && value !== "");
    const text = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString();
    return text && `?${text}`;
  },
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
