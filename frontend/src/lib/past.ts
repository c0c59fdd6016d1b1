/**
 * The past moment that is being looked at: the end of a day, or an instant. The address has it (`as_of`), the shell
 * sets it here, and every read and every right of that screen obeys it.
 */
let moment: string | undefined;

export const pastMoment = () => moment;

export function lookAt(next: string | undefined) {
  moment = next;
}

/** A day or an instant as the API takes it; anything else in the address is not obeyed. */
export const isMoment = (text: string) => /^\d{4}-\d{2}-\d{2}(T[0-9:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text);
