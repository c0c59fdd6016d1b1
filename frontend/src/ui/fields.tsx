import { useId, useState, type ComponentProps, type KeyboardEvent, type ReactNode } from "react";
import { formatDecimal, parseNumber } from "../lib/decimal";

interface FrameProps {
  label: ReactNode;
  /** Shows ※必須 or, when false, ※任意; left out inside filters, where nothing is required. */
  required?: boolean;
  hint?: ReactNode;
  error?: string;
  /** Shows 編集不可 and why. */
  readOnlyReason?: string;
  className?: string;
}

function Mark({ required, readOnly }: { required?: boolean; readOnly: boolean }) {
  if (readOnly) return <span className="ms-2 rounded-4 border border-solid-gray-600 px-1 text-sm font-normal">編集不可</span>;
  if (required === undefined) return null;
  return required ? (
    <span className="ms-2 text-sm font-normal text-error-1">※必須</span>
  ) : (
    <span className="ms-2 text-sm font-normal text-solid-gray-700">※任意</span>
  );
}

export function ErrorText({ id, children }: { id?: string; children?: ReactNode }) {
  return children ? (
    <p id={id} className="mt-1 text-error-1">
      ＊{children}
    </p>
  ) : null;
}

/** Ids that tie label, support text and error to one control. */
function useField(hasHint: boolean, hasError: boolean, givenId?: string) {
  const generated = useId();
  const id = givenId ?? generated;
  const describedBy = [hasHint && `${id}-hint`, hasError && `${id}-error`].filter(Boolean).join(" ");
  return { id, control: { id, "aria-describedby": describedBy || undefined, "aria-invalid": hasError || undefined } };
}

function Frame({ id, label, required, hint, error, readOnlyReason, className = "", children }: FrameProps & { id: string; children: ReactNode }) {
  return (
    <div className={className}>
      <label htmlFor={id} className="block font-bold">
        {label}
        <Mark required={required} readOnly={readOnlyReason !== undefined} />
      </label>
      <div id={`${id}-hint`} className="text-solid-gray-700">
        {readOnlyReason}
        {hint}
      </div>
      <div className="mt-1">{children}</div>
      <ErrorText id={`${id}-error`}>{error}</ErrorText>
    </div>
  );
}

/** Enter that only confirms an IME conversion must not submit the form (229 covers older browsers). */
function keepComposition(event: KeyboardEvent) {
  if (event.key === "Enter" && (event.nativeEvent.isComposing || event.keyCode === 229)) event.preventDefault();
}

/**
 * True while the IME is converting: whatever judges or rewrites the text waits until it ends.
 * Spread `handlers` on the input.
 */
export function useComposing() {
  const [composing, setComposing] = useState(false);
  return {
    composing,
    handlers: {
      onCompositionStart: () => setComposing(true),
      onCompositionEnd: () => setComposing(false),
    },
  };
}

type InputProps = Pick<
  ComponentProps<"input">,
  "name" | "autoComplete" | "inputMode" | "maxLength" | "onBlur" | "onKeyDown" | "onKeyUp" | "ref" | "id"
>;

export interface TextFieldProps extends FrameProps, InputProps {
  value: string;
  onChange: (value: string) => void;
  type?: "text" | "email" | "password" | "search" | "tel" | "url";
  size?: "md" | "sm";
  /** Unit behind the field: 円, 人. */
  suffix?: string;
  /** A control at the end of the field, e.g. the button that shows a password. */
  action?: ReactNode;
  /** The field opens a list of suggestions (see Combobox). */
  combobox?: { expanded: boolean; list: string; active?: string };
}

export function TextField({ label, required, hint, error, readOnlyReason, className, value, onChange, size = "md", suffix, action, combobox, onKeyDown, id, ...input }: TextFieldProps) {
  const field = useField(Boolean(hint ?? readOnlyReason), Boolean(error), id);
  return (
    <Frame {...{ label, required, hint, error, readOnlyReason, className }} id={field.id}>
      <div className="flex items-center gap-2">
        <input
          type="text"
          {...input}
          {...field.control}
          {...(combobox && {
            role: "combobox",
            "aria-autocomplete": "list",
            "aria-expanded": combobox.expanded,
            "aria-controls": combobox.expanded ? combobox.list : undefined,
            "aria-activedescendant": combobox.active,
          })}
          className={`control ${size === "md" ? "h-12" : "h-10"}`}
          value={value}
          aria-required={required || undefined}
          readOnly={readOnlyReason !== undefined}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={(event) => {
            keepComposition(event);
            onKeyDown?.(event);
          }}
        />
        {suffix && <span className="shrink-0">{suffix}</span>}
        {action}
      </div>
    </Frame>
  );
}

/**
 * A number as staff type it: full-width digits, commas, 154万, △3. `value` is the typed text;
 * `onChange` also gives the exact decimal string, or null while it cannot be read as a number.
 */
export function NumberField({ value, onChange, hint, ...props }: Omit<TextFieldProps, "onChange" | "type" | "inputMode"> & { onChange: (typed: string, decimal: string | null) => void }) {
  const { composing, handlers } = useComposing();
  const decimal = parseNumber(value);
  const understood = !composing && decimal !== null && formatDecimal(decimal) !== value.trim();
  return (
    <div {...handlers}>
      <TextField
        {...props}
        inputMode="decimal"
        value={value}
        onChange={(typed) => onChange(typed, parseNumber(typed))}
        hint={
          <>
            {hint}
            {understood && <span className="block">{formatDecimal(decimal)} として登録します。</span>}
          </>
        }
      />
    </div>
  );
}

export interface TextAreaProps extends FrameProps, Pick<ComponentProps<"textarea">, "name" | "maxLength" | "onBlur" | "onKeyDown" | "ref" | "rows" | "id"> {
  value: string;
  onChange: (value: string) => void;
}

export function TextArea({ label, required, hint, error, readOnlyReason, className, value, onChange, rows = 4, id, ...area }: TextAreaProps) {
  const field = useField(Boolean(hint ?? readOnlyReason), Boolean(error), id);
  return (
    <Frame {...{ label, required, hint, error, readOnlyReason, className }} id={field.id}>
      <textarea
        {...area}
        {...field.control}
        rows={rows}
        className="control field-sizing-content py-2"
        value={value}
        aria-required={required || undefined}
        readOnly={readOnlyReason !== undefined}
        onChange={(event) => onChange(event.target.value)}
      />
    </Frame>
  );
}

export interface Option {
  value: string;
  label: string;
}

export interface SelectProps extends FrameProps {
  value: string;
  onChange: (value: string) => void;
  options: readonly Option[];
  name?: string;
  id?: string;
  size?: "md" | "sm";
}

export function Select({ label, required, hint, error, readOnlyReason, className, value, onChange, options, name, id, size = "md" }: SelectProps) {
  const field = useField(Boolean(hint ?? readOnlyReason), Boolean(error), id);
  const chosen = options.find((option) => option.value === value);
  return (
    <Frame {...{ label, required, hint, error, readOnlyReason, className }} id={field.id}>
      {readOnlyReason === undefined ? (
        <select
          {...field.control}
          name={name}
          className={`control ${size === "md" ? "h-12" : "h-10"}`}
          value={value}
          aria-required={required || undefined}
          onChange={(event) => onChange(event.target.value)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      ) : (
        // A select cannot be read-only, and a disabled one cannot be reached by keyboard.
        <input {...field.control} className={`control ${size === "md" ? "h-12" : "h-10"}`} readOnly value={chosen?.label ?? value} />
      )}
    </Frame>
  );
}

export interface CheckboxProps {
  label: ReactNode;
  checked: boolean;
  onChange: (checked: boolean) => void;
  hint?: ReactNode;
  error?: string;
  name?: string;
}

const TICK = "size-6 shrink-0 accent-key-900";

export function Checkbox({ label, checked, onChange, hint, error, name }: CheckboxProps) {
  const field = useField(Boolean(hint), Boolean(error));
  return (
    <div>
      <label className="flex min-h-11 items-center gap-2">
        <input {...field.control} type="checkbox" name={name} className={TICK} checked={checked} onChange={(event) => onChange(event.target.checked)} />
        <span>{label}</span>
      </label>
      {hint && (
        <p id={`${field.id}-hint`} className="ms-8 text-solid-gray-700">
          {hint}
        </p>
      )}
      <ErrorText id={`${field.id}-error`}>{error}</ErrorText>
    </div>
  );
}

export interface RadioGroupProps extends Omit<FrameProps, "readOnlyReason"> {
  value: string;
  onChange: (value: string) => void;
  options: readonly (Option & { hint?: string })[];
}

export function RadioGroup({ label, required, hint, error, className, value, onChange, options }: RadioGroupProps) {
  const field = useField(Boolean(hint), Boolean(error));
  return (
    <fieldset className={className} aria-describedby={field.control["aria-describedby"]}>
      <legend className="font-bold">
        {label}
        <Mark required={required} readOnly={false} />
      </legend>
      {hint && (
        <p id={`${field.id}-hint`} className="text-solid-gray-700">
          {hint}
        </p>
      )}
      {options.map((option) => (
        <label key={option.value} className="flex min-h-11 items-center gap-2">
          <input
            type="radio"
            name={field.id}
            className={TICK}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span>
            {option.label}
            {option.hint && <span className="block text-sm text-solid-gray-700">{option.hint}</span>}
          </span>
        </label>
      ))}
      <ErrorText id={`${field.id}-error`}>{error}</ErrorText>
    </fieldset>
  );
}

/** The sentence next to every free text about people's lives. */
export function PrivacyHint() {
  return <span className="block text-sm text-solid-gray-700">個人が特定される相談内容は入力しないでください。</span>;
}
