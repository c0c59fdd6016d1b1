import { useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { useEffect, useState, type FormEvent, type KeyboardEvent } from "react";
import { ensureSession, fieldErrors, isApiError, signIn, type ApiError } from "../../api";
import { Button, ErrorSummary, Notice, PageHeader, TextField } from "../../ui";

/** Only a place of this site: `//elsewhere` would leave it. */
const safePlace = (place: string | undefined) => (place && /^\/(?![/\\])/.test(place) ? place : "/");

/** Seconds left of an answer's `Retry-After`, counting down. */
function useCountdown(error: ApiError | undefined): number {
  const [tick, setTick] = useState<{ error?: ApiError; left: number }>({ left: 0 });
  if (tick.error !== error) setTick({ error, left: error?.retryAfter ?? 0 });
  const running = tick.left > 0;
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setTick((now) => ({ ...now, left: Math.max(0, now.left - 1) })), 1000);
    return () => clearInterval(timer);
  }, [running]);
  return tick.left;
}

export default function SignInPage() {
  const navigate = useNavigate();
  const router = useRouter();
  const { redirect } = useSearch({ from: "__root__" });
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [shown, setShown] = useState(false);
  const [capsLock, setCapsLock] = useState(false);
  const [busy, setBusy] = useState(false);
  const [missing, setMissing] = useState<{ fieldId: string; message: string }[]>([]);
  const [error, setError] = useState<ApiError>();
  const wait = useCountdown(error?.status === 429 ? error : undefined);
  const place = safePlace(redirect);

  // Already signed in (a bookmark of this page, another tab): nothing to ask.
  useEffect(() => {
    void ensureSession().then(
      (signedIn) => signedIn && router.history.replace(place),
      () => undefined,
    );
  }, [place, router]);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || wait > 0) return;
    setError(undefined);
    const gaps = [
      ...(email.trim() ? [] : [{ fieldId: "email", message: "メールアドレスを入力してください。" }]),
      ...(password ? [] : [{ fieldId: "password", message: "パスワードを入力してください。" }]),
    ];
    setMissing(gaps);
    if (gaps.length > 0) return;
    setBusy(true);
    try {
      // Full-width letters of a mail address are what the IME left behind, never meant.
      await signIn(email.normalize("NFKC").trim(), password);
      await navigate({ href: place, replace: true });
    } catch (failure) {
      if (!isApiError(failure)) throw failure;
      setError(failure);
    } finally {
      setBusy(false);
    }
  };

  const watchCapsLock = (event: KeyboardEvent) => setCapsLock(event.getModifierState("CapsLock"));
  const byServer = fieldErrors(error?.problem);
  const messageOf = (fieldId: string) => missing.find((gap) => gap.fieldId === fieldId)?.message ?? byServer[`/${fieldId}`];

  return (
    <main className="mx-auto max-w-xl px-6 py-10">
      <p className="mb-6 text-center">
        <span className="block text-4xl font-bold text-key-900">つなぎ</span>
        <span className="text-solid-gray-700">地域福祉の連携記録</span>
      </p>
      <PageHeader title="サインイン" />
      <form noValidate className="grid gap-6" onSubmit={(event) => void submit(event)}>
        {!window.isSecureContext && (
          <Notice tone="warning" title="この接続ではサインインできません">
            <p>暗号化されていない接続です。https:// で始まるアドレスで開き直してください。アドレスがわからない場合は、管理者にお尋ねください。</p>
          </Notice>
        )}
        <ErrorSummary errors={missing} />
        {error && (
          <Notice tone="error" live title="サインインできませんでした">
            {error.status === 429 ? (
              <p>
                サインインの失敗が続いたため、しばらく受け付けを止めています。
                {wait > 0 ? <span aria-live="off">あと{wait}秒お待ちください。</span> : "もう一度サインインできます。"}
              </p>
            ) : (
              <p>{error.message}</p>
            )}
            {error.requestId && error.status >= 500 && <p className="text-sm">問い合わせ番号：{error.requestId}</p>}
          </Notice>
        )}
        <TextField
          id="email"
          label="メールアドレス"
          required
          type="email"
          name="email"
          autoComplete="username"
          value={email}
          onChange={setEmail}
          error={messageOf("email")}
        />
        <TextField
          id="password"
          label="パスワード"
          required
          type={shown ? "text" : "password"}
          name="password"
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
          onKeyDown={watchCapsLock}
          onKeyUp={watchCapsLock}
          hint={<span aria-live="polite">{capsLock && "▲ CapsLockがオンになっています。大文字で入力されます。"}</span>}
          error={messageOf("password")}
          action={
            <Button variant="secondary" className="shrink-0" aria-pressed={shown} aria-controls="password" onClick={() => setShown(!shown)}>
              {shown ? "隠す" : "表示する"}
            </Button>
          }
        />
        <Button type="submit" busy={busy} disabledReason={wait > 0 ? `あと${wait}秒お待ちください` : undefined}>
          サインイン
        </Button>
        <p className="text-sm text-solid-gray-700">
          パスワードを忘れたときや、サインインできないときは、所属する組織の管理者にご連絡ください。
        </p>
      </form>
    </main>
  );
}
