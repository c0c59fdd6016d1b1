/** Codes with a check digit, as people type them. */

/** Full-width digits, spaces and hyphens are what the IME or a document left behind. */
export const cleanCode = (typed: string) => typed.normalize("NFKC").replace(/[\s‐-―ー-]/g, "");

function localGovernmentCheckDigit(digits: string): number {
  const sum = [6, 5, 4, 3, 2].reduce((total, weight, index) => total + weight * Number(digits[index]), 0);
  return (11 - (sum % 11)) % 10;
}

/** 全国地方公共団体コード: six digits, the last one the check digit. */
export const isLocalGovernmentCode = (code: string) => /^\d{6}$/.test(code) && localGovernmentCheckDigit(code) === Number(code[5]);

/** The prefecture of a municipality: 313891 (南部町) is in 310000 (鳥取県). */
export function prefectureCode(code: string): string {
  const digits = `${code.slice(0, 2)}000`;
  return `${digits}${localGovernmentCheckDigit(digits)}`;
}

/** 法人番号: thirteen digits, the first one the check digit. */
export function isCorporateNumber(code: string): boolean {
  if (!/^[1-9]\d{12}$/.test(code)) return false;
  const sum = [...code.slice(1)].reverse().reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 2), 0);
  return 9 - (sum % 9) === Number(code[0]);
}
