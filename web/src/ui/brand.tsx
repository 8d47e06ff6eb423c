import { Group, Text } from '@mantine/core';

/** The mark: a tenon let into its mortise. */
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden focusable="false">
      <rect width="32" height="32" rx="8" fill="var(--mantine-color-ink-7)" />
      <path d="M7 8h18v5h-6v11h-6V13H7z" fill="#fff" />
      <path d="M7 17h4v7H7zM21 17h4v7h-4z" fill="#fff" opacity=".45" />
    </svg>
  );
}

export function Brand() {
  return (
    <Group gap={10} wrap="nowrap">
      <Mark />
      <Text fw={700} fz="lg" lts="-0.02em">
        Tenon
      </Text>
    </Group>
  );
}
