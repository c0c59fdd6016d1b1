/** Choices for a field in which somebody types a part of a name. */
import { client } from "./client";

export interface Found {
  value: string;
  label: string;
}

export async function findOrganizations(search: string): Promise<Found[]> {
  const { data } = await client.GET("/api/v1/organizations", { params: { query: { search: search || undefined, limit: 20 } } });
  return data?.items.map(({ id, name }) => ({ value: id, label: name })) ?? [];
}

/** Names occur more than once (南部町 three times): the prefecture goes with them. */
export const municipalityLabel = ({ name, prefecture_name: prefecture }: { name: string; prefecture_name: string }) => (prefecture === name ? name : `${prefecture}${name}`);

/** People write 鳥取県南部町 in one; the search knows prefecture and name as two words. */
const PREFECTURE = /^(北海道|東京都|大阪府|京都府|.{2,3}県)(?=\S)/;

export async function findMunicipalities(search: string) {
  const text = search.replace(PREFECTURE, "$1 ").trim();
  const { data } = await client.GET("/api/v1/municipalities", { params: { query: { search: text || undefined, limit: 20 } } });
  return data?.items.map((found) => ({ value: found.code, label: municipalityLabel(found), prefecture: found.prefecture_code })) ?? [];
}
