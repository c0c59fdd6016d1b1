import { useNavigate, useSearch } from "@tanstack/react-router";
import { currentFiscalYear } from "../lib/date";

/**
 * One parameter of the address as state: `const [tab, setTab] = useSearchParam("tab")`. Setting
 * undefined removes it. The address is the only place of such state, so a copied link or a reload
 * shows the same screen.
 */
export function useSearchParam(name: string): [string | undefined, (value: string | undefined) => void] {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const raw = search[name];
  const set = (value: string | undefined) =>
    void navigate({
      to: ".",
      search: (previous: Record<string, unknown>) => ({ ...previous, [name]: value }),
      replace: true,
      resetScroll: false,
    });
  return [raw === undefined || raw === null ? undefined : String(raw), set];
}

/** The fiscal year every list obeys: `fy` in the address, else the current one in Japan. */
export function useFiscalYear(): number {
  const [raw] = useSearchParam("fy");
  const year = Number(raw);
  return Number.isInteger(year) && year >= 1926 && year <= 2200 ? year : currentFiscalYear();
}
