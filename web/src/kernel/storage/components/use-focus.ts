import { useEffect, useRef } from 'react';

/** Where the keyboard goes on after a dialog: at what opened it, or at the folder's name if that is gone. */
export function useFocus(shown: unknown) {
  const root = useRef<HTMLDivElement>(null);
  const opener = useRef<Element>(null);
  useEffect(() => {
    if (opener.current === null || opener.current.isConnected) return;
    opener.current = null;
    if (document.activeElement !== document.body) return;
    root.current?.querySelector<HTMLElement>('[aria-current]')?.focus();
  }, [shown]);
  return {
    root,
    remember: () => {
      const pressed = document.activeElement;
      // Of a menu, which is about to close, the button that opened it.
      const menu = pressed?.closest('[role=menu]');
      opener.current =
        menu == null ? pressed : document.querySelector(`[aria-controls="${CSS.escape(menu.id)}"]`);
    },
    goBack: () => {
      const last = opener.current;
      // The dialog holds the keyboard until it is gone.
      requestAnimationFrame(() => {
        if (last instanceof HTMLElement && last.isConnected) last.focus();
      });
    },
  };
}
