import { Box } from '@mantine/core';
import { useEffect, useRef, useState, type ReactNode } from 'react';

/** Scrolls sideways what is wider than the window, by keyboard too; where nothing is cut off it is no tab stop. */
export function WideContent({
  label,
  minWidth,
  children,
}: {
  label: string;
  minWidth: number;
  children: ReactNode;
}) {
  const outer = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);

  useEffect(() => {
    const frame = outer.current;
    const content = inner.current;
    if (frame === null || content === null) return;
    const observer = new ResizeObserver(() => {
      setScrolls(frame.scrollWidth > frame.clientWidth);
    });
    observer.observe(frame);
    observer.observe(content);
    return () => {
      observer.disconnect();
    };
  }, []);

  return (
    <Box
      ref={outer}
      style={{ overflowX: 'auto' }}
      {...(scrolls ? { tabIndex: 0, role: 'group', 'aria-label': label } : {})}
    >
      {/* As wide as what is in it, so that a longer word is noticed too. */}
      <div ref={inner} style={{ minWidth: `max(100%, ${minWidth}px)`, width: 'fit-content' }}>
        {children}
      </div>
    </Box>
  );
}
