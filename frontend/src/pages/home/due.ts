/** What is due for one organisation: pure questions on what the lists answer. */

/** Days from one date to another; negative when it lies in the past. */
export function daysUntil(date: string, today: string): number {
  return Math.round((Date.parse(`${date}T00:00:00Z`) - Date.parse(`${today}T00:00:00Z`)) / 86_400_000);
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** 3日遅れ, 今日まで, あと12日 */
export function dueWords(date: string, today: string): string {
  const days = daysUntil(date, today);
  if (days < 0) return `▲ ${-days}日遅れ`;
  return days === 0 ? "● 今日まで" : `○ あと${days}日`;
}
