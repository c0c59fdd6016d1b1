import { useEffect, useId, useState, type KeyboardEvent, type ReactNode } from "react";
import { TextField, useComposing, type Option } from "./fields";

export interface ComboboxProps {
  label: ReactNode;
  required?: boolean;
  hint?: ReactNode;
  error?: string;
  id?: string;
  /** The chosen thing; its label is what the field shows. */
  value: Option | null;
  onChange: (value: Option | null) => void;
  /** Finds by a part of the name; an empty text asks for the first ones. */
  search: (text: string) => Promise<readonly Option[]>;
}

/** Chooses one of many (an organisation, a municipality) by typing a part of its name. */
export function Combobox({ label, required, hint, error, id, value, onChange, search }: ComboboxProps) {
  const generated = useId();
  const fieldId = id ?? generated;
  const { composing, handlers } = useComposing();
  const [typed, setTyped] = useState<string>();
  const [found, setFound] = useState<readonly Option[]>([]);
  const [state, setState] = useState<"searching" | "done" | "failed">("done");
  const [active, setActive] = useState(0);
  const open = typed !== undefined;

  useEffect(() => {
    if (typed === undefined || composing) return;
    let current = true;
    const timer = setTimeout(() => {
      setState("searching");
      search(typed.trim()).then(
        (options) => {
          if (!current) return;
          setFound(options);
          setActive(0);
          setState("done");
        },
        () => current && setState("failed"),
      );
    }, 250);
    return () => {
      current = false;
      clearTimeout(timer);
    };
    // `search` is made anew by every render of the page; only the text decides.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [typed, composing]);

  const choose = (option: Option | undefined) => {
    if (option) onChange(option);
    setTyped(undefined);
    setFound([]);
  };
  const keys = (event: KeyboardEvent) => {
    if (composing || event.nativeEvent.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (open) setActive((now) => Math.min(Math.max(now + (event.key === "ArrowDown" ? 1 : -1), 0), Math.max(found.length - 1, 0)));
      else setTyped("");
    } else if (event.key === "Enter" && open) {
      event.preventDefault();
      choose(found[active]);
    } else if (event.key === "Escape" && open) {
      // Closes the list, not the dialog around it.
      event.preventDefault();
      event.stopPropagation();
      choose(undefined);
    }
  };

  return (
    <div className="relative" {...handlers}>
      <TextField
        id={fieldId}
        label={label}
        required={required}
        hint={hint}
        error={error}
        autoComplete="off"
        combobox={{ expanded: open, list: `${fieldId}-list`, active: open && found[active] ? `${fieldId}-option-${active}` : undefined }}
        value={typed ?? value?.label ?? ""}
        onChange={(text) => {
          setTyped(text);
          if (text === "") onChange(null);
        }}
        onKeyDown={keys}
        onBlur={() => choose(undefined)}
      />
      {open && (
        <div className="absolute z-10 mt-1 max-h-72 w-full overflow-auto rounded-8 border border-solid-gray-600 bg-white shadow-2">
          <ul id={`${fieldId}-list`} role="listbox" aria-label="候補">
            {found.map((option, index) => (
              // The keyboard works on the text field above, which names the active option.
              // eslint-disable-next-line jsx-a11y/click-events-have-key-events
              <li
                key={option.value}
                id={`${fieldId}-option-${index}`}
                role="option"
                aria-selected={index === active}
                tabIndex={-1}
                className={`cursor-pointer px-3 py-2 ${index === active ? "bg-key-100 underline" : "hover:bg-key-50"}`}
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => choose(option)}
              >
                {option.label}
              </li>
            ))}
          </ul>
          <p role="status" className={found.length > 0 && state === "done" ? "sr-only" : "px-3 py-2"}>
            {state === "searching" ? "探しています…" : state === "failed" ? "探せませんでした。もう一度入力してください。" : found.length === 0 ? "見つかりません。名前の一部を短く入力してください。" : `${found.length}件の候補`}
          </p>
        </div>
      )}
    </div>
  );
}
