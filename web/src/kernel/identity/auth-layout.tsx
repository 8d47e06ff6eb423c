import { Box, Stack, Text, Title } from '@mantine/core';
import { useEffect, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Brand } from '@/ui/brand';
import classes from './auth-layout.module.css';

/** Frame of the pages outside any organisation. */
export function AuthLayout({
  title,
  description,
  children,
  footer,
}: {
  title: string;
  description?: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
}) {
  const { t } = useTranslation('identity');

  useEffect(() => {
    document.title = `${title} · Tenon`;
  }, [title]);

  return (
    <div className={classes.frame}>
      <main className={classes.main} id="main">
        <Box className={classes.card}>
          <Brand />
          <Title order={1} size="h2" mt={44}>
            {title}
          </Title>
          {description !== undefined && (
            <Text c="dimmed" mt={6}>
              {description}
            </Text>
          )}
          <Box mt="xl">{children}</Box>
          {footer !== undefined && (
            <Text size="sm" c="dimmed" mt="lg" component="div">
              {footer}
            </Text>
          )}
        </Box>
      </main>
      <aside className={classes.aside} aria-label={t('about.label')}>
        <Joint />
        <Stack gap="xs" maw={420} className={classes.words}>
          <Text fz={26} fw={650} lh={1.25} lts="-0.02em">
            {t('about.title')}
          </Text>
          <Text opacity={0.85}>{t('about.text')}</Text>
        </Stack>
      </aside>
    </div>
  );
}

/** Two timbers and the tongue that joins them. */
function Joint() {
  return (
    <svg className={classes.joint} viewBox="0 0 520 520" aria-hidden focusable="false">
      <g fill="none" stroke="currentColor" strokeWidth="1.5">
        <path d="M40 150h440v110H330v220H190V260H40z" opacity=".9" />
        <path d="M190 150v110M330 150v110" strokeDasharray="5 6" opacity=".6" />
        <path d="M40 290h120v190M480 290H360v190" opacity=".5" />
        <path d="M40 178h440M40 232h150M330 232h150" opacity=".22" />
        <path d="M218 260v220M260 150v330M302 260v220" opacity=".22" />
        <path d="M70 150v110M450 150v110" opacity=".22" />
      </g>
    </svg>
  );
}
