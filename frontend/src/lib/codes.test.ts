import { expect, it } from "vitest";
import { cleanCode, isCorporateNumber, isLocalGovernmentCode } from "./codes";

it("checks local government codes, also where the remainder is 0 or 1", () => {
  expect(["312011", "313891", "014036", "131016"].map(isLocalGovernmentCode)).toEqual([true, true, true, true]);
  expect(["312012", "31201", "３１２０１１"].map(isLocalGovernmentCode)).toEqual([false, false, false]);
});

it("checks corporate numbers", () => {
  expect(["8000020130001", "7000020100005", "9000020102024"].map(isCorporateNumber)).toEqual([true, true, true]);
  expect(["8000020130002", "0000020130001", "800002013000"].map(isCorporateNumber)).toEqual([false, false, false]);
});

it("reads full-width digits and hyphens", () => {
  expect(cleanCode(" ３１-２０１１")).toBe("312011");
});
