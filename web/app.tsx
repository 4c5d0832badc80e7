import { session } from './lib/session.ts';
import { CurrentPage } from './pages/routes-of-pages.tsx';
import { SignIn } from './pages/sign-in.tsx';
import { Shell } from './parts/shell.tsx';
import { Toast } from './parts/toast.tsx';

export function App() {
  const current = session.value;
  if (current === undefined) return null;
  if (current === null) return <SignIn />;
  return (
    <>
      <Shell>
        <CurrentPage />
      </Shell>
      <Toast />
    </>
  );
}
