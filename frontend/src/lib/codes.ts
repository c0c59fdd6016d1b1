/** Codes with a check digit, as people type them. */

/** Full-width digits, spaces and hyphens are what the IME or a document left behind. */
export const cleanCode = (typed: string) => typed.normalize("NFKC").replace(/[\s‐-―ー-]/g, "");

/** 全国地方公共団体コード: six digits, the last one the check digit. */
export function isLocalGovernmentCode(code: string): boolean {
  if (!/^\d{6}$/.test(code)) return false;
  const sum = [6, 5, 4, 3, 2].reduce((total, weight, index) => total + weight * Number(code[index]), 0);
  return (11 - (sum % 11)) % 10 === Number(code[5]);
}

/** 法人番号: thirteen digits, the first one the check digit. */
export function isCorporateNumber(code: string): boolean {
  if (!/^[1-9]\d{12}$/.test(code)) return false;
  const sum = [...code.slice(1)].reverse().reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 2), 0);
  return 9 - (sum % 9) === Number(code[0]);
}
