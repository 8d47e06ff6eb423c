import { Anchor, Stack, Text, ThemeIcon, UnstyledButton } from '@mantine/core';
import { IconDeviceMobile, IconKey, IconMessage } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { safeNext } from '@/kernel/routing/search';
import { notifyFailed } from '@/ui/notify';
import { ErrorState } from '@/ui/states/error-state';
import { LoadingState } from '@/ui/states/loading-state';
import { AuthLayout } from '../auth-layout';
import { factorsQuery, keysPossible, type FactorType } from '../factors/api';
import { AddApp, AddKey, AddPhone } from '../factors/enrol';
import { NewRecoveryCodes } from '../factors/recovery-codes';
import { offered, SecondStep } from '../factors/second-step';
import { signOut } from '../session';
import { usePhoneFactor } from '../ways';
import classes from './second-factor.module.css';

/** The second step of a sign-in; for somebody who has no second factor and needs one, the way to get it. */
export function SecondFactorPage() {
  const { t } = useTranslation('factors');
  const { next, reason, way } = useSearch({ from: '/second-factor' });
  const router = useRouter();
  const navigate = useNavigate({ from: '/second-factor' });
  const queryClient = useQueryClient();
  const factors = useQuery({ ...factorsQuery(), staleTime: 0 });
  // Whoever came without a factor stays in the way to get one, also once they have it.
  const [enrolling, setEnrolling] = useState(false);
  const leave = useMutation({ mutationFn: signOut, onError: notifyFailed });

  const goOn = () => {
    // What was refused before is let in now.
    void queryClient.invalidateQueries();
    router.history.push(safeNext(next));
  };
  const footer = (
    <Anchor
      component="button"
      type="button"
      size="sm"
      underline="always"
      onClick={() => {
        leave.mutate();
      }}
    >
      {t('step.other')}
    </Anchor>
  );
  if (factors.isPending || factors.isError) {
    return (
      <AuthLayout title={t('step.title')} footer={footer}>
        {factors.isPending ? (
          <LoadingState height={160} />
        ) : (
          <ErrorState error={factors.error} onRetry={() => void factors.refetch()} />
        )}
      </AuthLayout>
    );
  }
  if (enrolling || factors.data.verified.length === 0) {
    return (
      <Enrolment
        required={reason === 'organization'}
        footer={footer}
        onBegun={() => {
          setEnrolling(true);
        }}
        onDone={goOn}
      />
    );
  }
  return (
    <AuthLayout
      title={t('step.title')}
      description={reason === 'organization' ? t('step.required') : undefined}
      footer={footer}
    >
      <SecondStep
        factors={factors.data.verified}
        way={offered(factors.data.verified, way)}
        onWay={(chosen) =>
          void navigate({ search: (search) => ({ ...search, way: chosen }), replace: true })
        }
        onDone={goOn}
      />
    </AuthLayout>
  );
}

function Enrolment({
  required,
  footer,
  onBegun,
  onDone,
}: {
  required: boolean;
  footer: React.ReactNode;
  onBegun: () => void;
  onDone: () => void;
}) {
  const { t } = useTranslation('factors');
  const [chosen, setChosen] = useState<FactorType | null>(null);
  const [added, setAdded] = useState(false);
  const { add: byText } = usePhoneFactor();
  const add = {
    suggestion: chosen === null ? '' : t(`types.${chosen}`),
    onDone: () => {
      setAdded(true);
    },
  };
  if (added) {
    return (
      <AuthLayout title={t('recovery.title')}>
        <NewRecoveryCodes again={false} onDone={onDone} />
      </AuthLayout>
    );
  }
  const choose = (type: FactorType) => () => {
    onBegun();
    setChosen(type);
  };
  return (
    <AuthLayout
      title={t('enrol.title')}
      description={required ? t('enrol.required') : undefined}
      footer={footer}
    >
      {chosen === null ? (
        <Stack>
          <Text size="sm" fw={600}>
            {t('enrol.choose')}
          </Text>
          <Choice
            icon={IconDeviceMobile}
            label={t('enrol.app')}
            hint={t('enrol.appHint')}
            onClick={choose('totp')}
          />
          {keysPossible() && (
            <Choice
              icon={IconKey}
              label={t('enrol.key')}
              hint={t('enrol.keyHint')}
              onClick={choose('webauthn')}
            />
          )}
          {byText && (
            <Choice
              icon={IconMessage}
              label={t('enrol.phone')}
              hint={t('enrol.phoneHint')}
              onClick={choose('phone')}
            />
          )}
        </Stack>
      ) : (
        <Stack>
          {chosen === 'totp' && <AddApp {...add} />}
          {chosen === 'webauthn' && <AddKey {...add} />}
          {chosen === 'phone' && <AddPhone {...add} />}
          <Anchor
            component="button"
            type="button"
            size="sm"
            ta="start"
            onClick={() => {
              setChosen(null);
            }}
          >
            {t('enrol.back')}
          </Anchor>
        </Stack>
      )}
    </AuthLayout>
  );
}

function Choice({
  icon: Symbol,
  label,
  hint,
  onClick,
}: {
  icon: typeof IconKey;
  label: string;
  hint: string;
  onClick: () => void;
}) {
  return (
    <UnstyledButton className={classes.choice} onClick={onClick}>
      <ThemeIcon size={38} radius="md" variant="light" aria-hidden>
        <Symbol size={20} stroke={1.6} />
      </ThemeIcon>
      <span>
        <Text span size="sm" fw={600} display="block">
          {label}
        </Text>
        <Text span size="sm" c="dimmed" display="block">
          {hint}
        </Text>
      </span>
    </UnstyledButton>
  );
}
