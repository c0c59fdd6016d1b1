import { Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { Fragment, useEffect } from "react";
import { currentIdentity, subscribeToSession, useIdentity } from "../api";
import { isMoment, lookAt } from "../lib/past";
import { announce, PastBanner, useSearchParam } from "../ui";
import { Shell } from "./Shell";

/** Screens of records can show a past moment; lists of tasks, administration and history are of now. */
const RECORDS = /^\/(platforms|projects|plans|kpis)(\/|$)/;

/** Decides between the bare screens and the shell, and watches for the end of the session. */
export function Root() {
  const identity = useIdentity();
  const navigate = useNavigate();
  const { pathname, href } = useLocation();
  const [asOf] = useSearchParam("as_of");
  const moment = asOf !== undefined && isMoment(asOf) && RECORDS.test(pathname) ? asOf : undefined;
  // Before the screen is drawn: what it asks and what it offers depends on it.
  lookAt(moment);
  const bare = pathname === "/sign-in" || pathname === "/gallery";

  useEffect(() => {
    if (bare) return;
    // Signed out here, in another tab or by the server: sign in again and come back to this place.
    return subscribeToSession(() => {
      if (!currentIdentity()) void navigate({ to: "/sign-in", search: { redirect: href } });
    });
  }, [bare, href, navigate]);

  // A new page starts at its heading: the focus of the old page's link is gone with that page.
  useEffect(() => {
    const timer = setTimeout(() => announce(document.title), 300);
    return () => clearTimeout(timer);
  }, [pathname]);

  if (bare || !identity) return <Outlet />;
  return (
    <Shell identity={identity}>
      <Fragment key={moment}>
        {moment && <PastBanner />}
        <Outlet />
      </Fragment>
    </Shell>
  );
}
