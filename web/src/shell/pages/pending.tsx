import { LoadingState } from '@/ui/states/loading-state';

export function PendingPage() {
  return <LoadingState height="60vh" />;
}
