import type { ComponentProps, ReactNode } from "react";

export type ButtonVariant = "primary" | "secondary" | "text" | "danger";
type ButtonSize = "md" | "sm";

const VARIANTS: Record<ButtonVariant, string> = {
  primary: "border-key-900 bg-key-900 text-white hover:border-key-1000 hover:bg-key-1000 hover:underline",
  secondary: "border-key-900 bg-white text-key-900 hover:bg-key-100 hover:text-key-1000 hover:underline",
  text: "border-transparent bg-transparent text-key-1000 underline hover:bg-key-50",
  danger: "border-error-2 bg-white text-error-2 hover:bg-red-50 hover:underline",
};

/** Also for links that look like buttons: `<Link className={buttonClass("secondary")} …>`. */
export function buttonClass(variant: ButtonVariant = "primary", size: ButtonSize = "md") {
  const height = size === "md" ? "min-h-12 px-5" : "min-h-10 px-3 text-[0.9375rem]";
  return `inline-flex items-center justify-center gap-2 rounded-8 border py-1 text-center font-bold leading-[1.4] underline-offset-4 ${height} ${VARIANTS[variant]} aria-disabled:border-solid-gray-300 aria-disabled:bg-solid-gray-100 aria-disabled:text-solid-gray-700 aria-disabled:no-underline`;
}

interface ButtonProps extends Omit<ComponentProps<"button">, "disabled"> {
  variant?: ButtonVariant;
  size?: ButtonSize;
  /** Work is under way: the button stays focusable, says so and ignores clicks. */
  busy?: boolean;
  /** Why the button cannot be used now; shown to everybody, unlike a grey button without words. */
  disabledReason?: string;
  children: ReactNode;
}

export function Button({ variant, size, busy, disabledReason, type = "button", onClick, children, className = "", ...rest }: ButtonProps) {
  const inert = busy === true || disabledReason !== undefined;
  return (
    <button
      {...rest}
      type={inert ? "button" : type}
      className={`${buttonClass(variant, size)} ${className}`}
      aria-disabled={inert || undefined}
      aria-busy={busy || undefined}
      title={disabledReason}
      onClick={inert ? undefined : onClick}
    >
      {children}
      {busy && <span>（処理中）</span>}
    </button>
  );
}
