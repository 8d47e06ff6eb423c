import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { reply } from '@/api/client';
import { Dialog } from '@/ui/dialog';
import { Confirm } from '@/ui/dialog-form';
import { notifyDone } from '@/ui/notify';
import { api, type Program } from '../queries';
import { ProgramForm } from './form';
import { Told, type Credentials } from './told';

/** What is to be done, and to which program. */
export type Asked =
  { what: 'register' } | { what: 'change' | 'renew' | 'remove'; program: Program };

/** Registers, changes or removes a program, or gives it another secret. */
export function ProgramDialog({ asked, onClose }: { asked: Asked | null; onClose: () => void }) {
  const { t } = useTranslation('operator');
  const client = useQueryClient();
  const [told, setTold] = useState<Credentials | null>(null);
  const close = () => {
    setTold(null);
    onClose();
  };
  const done = async (credentials: Credentials | null) => {
    await client.invalidateQueries({ queryKey: ['operator', 'programs'] });
    if (credentials === null) close();
    else setTold(credentials);
  };
  return (
    <Dialog opened={asked !== null} onClose={close} title={asked === null ? '' : title(t, asked)}>
      {asked !== null &&
        (told === null ? (
          <Question asked={asked} onDone={done} onCancel={close} />
        ) : (
          <Told credentials={told} onDone={close} />
        ))}
    </Dialog>
  );
}

type Translate = ReturnType<typeof useTranslation<'operator'>>['t'];

function title(t: Translate, asked: Asked): string {
  switch (asked.what) {
    case 'register':
      return t('programs.add');
    case 'change':
      return t('programs.edit', { name: asked.program.name });
    case 'renew':
      return t('programs.renewTitle', { name: asked.program.name });
    case 'remove':
      return t('programs.removeTitle', { name: asked.program.name });
  }
}

function Question({
  asked,
  onDone,
  onCancel,
}: {
  asked: Asked;
  onDone: (credentials: Credentials | null) => Promise<void>;
  onCancel: () => void;
}) {
  const { t } = useTranslation('operator');
  if (asked.what === 'register' || asked.what === 'change') {
    const program = asked.what === 'change' ? asked.program : null;
    return <ProgramForm program={program} onDone={onDone} onCancel={onCancel} />;
  }
  const { id, name, people } = asked.program;
  const params = { params: { path: { id } } };
  return asked.what === 'renew' ? (
    <Act
      text={t('programs.renewText', { name })}
      submit={t('programs.renew')}
      act={async () => {
        const { secret } = await reply(api.POST('/api/v1/operator/programs/{id}/secret', params));
        await onDone({ id, secret });
      }}
      onCancel={onCancel}
    />
  ) : (
    <Act
      text={t('programs.removeText', { count: people, name })}
      submit={t('programs.remove')}
      act={async () => {
        await reply(api.DELETE('/api/v1/operator/programs/{id}', params));
        notifyDone(t('programs.removed', { name }));
        await onDone(null);
      }}
      onCancel={onCancel}
    />
  );
}

function Act({
  act,
  ...question
}: {
  text: string;
  submit: string;
  act: () => Promise<void>;
  onCancel: () => void;
}) {
  const doing = useMutation({ mutationFn: act });
  return (
    <Confirm
      {...question}
      error={doing.error}
      pending={doing.isPending}
      focus="cancel"
      onSubmit={() => {
        doing.mutate();
      }}
    />
  );
}
