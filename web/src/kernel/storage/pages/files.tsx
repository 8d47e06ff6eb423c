import { useTranslation } from 'react-i18next';
import { PageHeader } from '@/ui/page-header';
import { FileBrowser } from '../components/file-browser';
import { useViewInAddress } from '../view';

export function FilesPage() {
  const { t } = useTranslation('files');
  const view = useViewInAddress();
  return (
    <>
      <PageHeader title={t('title')} description={t('description')} />
      <FileBrowser prefix="" start={t('all')} view={view} />
    </>
  );
}
