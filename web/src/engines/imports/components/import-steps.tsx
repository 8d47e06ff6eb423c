import { Stepper } from '@mantine/core';
import { useTranslation } from 'react-i18next';

/** Where the user is; three steps, whatever the server calls its own. */
export function ImportSteps({ active }: { active: 0 | 1 | 2 | 3 }) {
  const { t } = useTranslation('imports');
  return (
    <Stepper
      active={active}
      size="xs"
      mb="lg"
      maw={560}
      role="group"
      aria-label={t('steps.label')}
      allowNextStepsSelect={false}
    >
      {(['upload', 'review', 'commit'] as const).map((step) => (
        <Stepper.Step key={step} label={t(`steps.${step}`)} component="div" />
      ))}
    </Stepper>
  );
}
