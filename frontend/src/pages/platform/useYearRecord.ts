import { $api } from "../../api";

/** What the platform says of one fiscal year: one record, or none yet. Fits `QueryView`. */
export function useYearRecord(platformId: string, year: number) {
  return $api.useQuery("get", "/api/v1/platform-years", { params: { query: { platform_id: platformId, fiscal_year: year, limit: 1 } } });
}
