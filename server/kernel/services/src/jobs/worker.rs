//! The loop that takes jobs and begins them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tenon_sdk::{Kernel, Result, jobs::JobHandler, stopping::Stopping};
use tokio::{
    sync::mpsc::{self, Sender, UnboundedReceiver, UnboundedSender},
    task::JoinSet,
    time::Instant,
};
use uuid::Uuid;

use super::{
    buffer::Buffer,
    figures::Figures,
    held::Held,
    keeper::{self, Keeper},
    lanes::{Ask, Lanes},
    pace,
    queue::{self, Claimed},
    run::{self, Surroundings},
    settle::{self, Ended},
    wake::Wake,
};

/// Jobs that were taken and not begun for so long are for others.
const STALE: Duration = Duration::from_millis(500);
/// A claim that takes longer has lost its connection.
const PATIENCE: Duration = Duration::from_secs(30);
/// Jobs that wait for somebody outside, at a time.
const WAITING: usize = 200;
/// Ends that wait to be written; more of them make the jobs wait.
const ENDS: usize = 2000;

/// What a worker that leaves has for telling the database, after its jobs have ended.
const FAREWELL: Duration = Duration::from_secs(5);

/// Works until the server takes leave: then no more jobs are taken, those that run have a time to end, and the rest are given back at
/// once. If the task is dropped instead, another worker takes them when the lease ends.
pub async fn work(kernel: Kernel, wake: Arc<Wake>) {
    let slots = kernel.config().jobs.workers;
    if slots == 0 {
        return;
    }
    let id = kernel.env().new_id();
    let held = Arc::<Held>::default();
    let (ends, to_write) = mpsc::channel(ENDS);
    let (over, ended) = mpsc::unbounded_channel();
    let mut writer = JoinSet::new();
    writer.spawn(settle::write(
        kernel.db().clone(),
        held.clone(),
        wake.clone(),
        to_write,
    ));
    let mut tasks = JoinSet::new();
    tasks.spawn(keeper::beat(kernel.clone(), id, held.clone()));
    let keeper = Keeper {
        kernel: kernel.clone(),
        worker: id,
        wake: wake.clone(),
    };
    tasks.spawn(keeper.work());
    let handlers: HashMap<&'static str, JobHandler> = kernel
        .modules()
        .iter()
        .flat_map(|module| module.jobs.iter().map(|handler| (handler.name, handler.clone())))
        .collect();
    let worker = Worker {
        id,
        handlers,
        kernel: kernel.clone(),
        held: held.clone(),
        wake,
        slots,
        running: 0,
        waiting: 0,
        mean: Duration::from_secs(1),
        lanes: Lanes::default(),
        buffer: Buffer::default(),
        ends,
        over,
        jobs: JoinSet::new(),
        figures: Figures::new(&kernel),
    };
    worker.work(ended).await;
    let last_words = async {
        // The ends of jobs that ended.
        while writer.join_next().await.is_some() {}
        // Nobody renews the lease any more.
        tasks.shutdown().await;
        let left = held.all();
        if !left.is_empty() {
            tracing::info!(jobs = left.len(), "jobs are given back for other workers");
        }
        while let Err(error) = queue::leave(kernel.db(), id, &left).await {
            tracing::warn!(%error, "jobs could not be given back; trying again");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    if tokio::time::timeout(FAREWELL, last_words).await.is_err() {
        tracing::warn!(
            "the database did not hear that this worker leaves; its jobs go to others when its lease ends"
        );
    }
}

type Answer = (Vec<Ask>, Result<Vec<Claimed>>);

struct Worker {
    id: Uuid,
    kernel: Kernel,
    handlers: HashMap<&'static str, JobHandler>,
    held: Arc<Held>,
    wake: Arc<Wake>,
    slots: usize,
    running: usize,
    /// Jobs that wait for somebody outside and take none of the slots.
    waiting: usize,
    /// How long jobs take of late.
    mean: Duration,
    lanes: Lanes,
    buffer: Buffer,
    ends: Sender<Ended>,
    over: UnboundedSender<(bool, Duration)>,
    jobs: JoinSet<()>,
    figures: Figures,
}

impl Worker {
    async fn work(mut self, mut ended: UnboundedReceiver<(bool, Duration)>) {
        // One claim at a time, so that what the database says is the worker's can be compared with what the worker has.
        let mut claims: JoinSet<Answer> = JoinSet::new();
        let mut look = tokio::time::interval(STALE);
        let stopping: Stopping = self.kernel.stopping().clone();
        loop {
            self.begin_jobs();
            if claims.is_empty() {
                let asks = self.asks();
                if !asks.is_empty() {
                    claims.spawn(claim(self.kernel.clone(), self.id, self.held.clone(), asks));
                }
            }
            let wake = self.wake.clone();
            tokio::select! {
                biased;
                () = stopping.left() => break,
                Some(answer) = claims.join_next(), if !claims.is_empty() => match answer {
                    Ok((asks, Ok(claimed))) => self.take(&asks, claimed),
                    Ok((_, Err(error))) => {
                        tracing::warn!(%error, "queue is out of reach");
                        self.wake.look();
                    }
                    Err(error) => tracing::error!(%error, "a claim panicked"),
                },
                Some(over) = ended.recv() => self.one_is_over(over),
                () = wake.worker() => self.hear(),
                _ = look.tick() => self.give_back_stale(),
            }
            while let Ok(over) = ended.try_recv() {
                self.one_is_over(over);
            }
            while self.jobs.try_join_next().is_some() {}
        }
        self.leave(claims, ended).await;
    }

    /// Begins nothing more, and waits for what runs. What is held afterwards was not begun or not finished.
    async fn leave(mut self, mut claims: JoinSet<Answer>, mut ended: UnboundedReceiver<(bool, Duration)>) {
        let drain = Duration::from_secs(self.kernel.config().server.drain_seconds);
        let stopping = self.kernel.stopping().clone();
        let too_late = async {
            stopping.closed().await;
            tokio::time::sleep(drain).await;
        };
        tokio::select! {
            biased;
            () = self.finish(&mut claims, &mut ended) => {}
            () = too_late => {
                let jobs = self.running + self.waiting;
                tracing::warn!(jobs, "jobs are stopped: they did not end in time");
            }
        }
        self.jobs.shutdown().await;
    }

    async fn finish(
        &mut self,
        claims: &mut JoinSet<Answer>,
        ended: &mut UnboundedReceiver<(bool, Duration)>,
    ) {
        // What an open claim brings is the worker's, too.
        if let Some(Ok((_, Ok(claimed)))) = claims.join_next().await {
            let now = std::time::Instant::now();
            for job in claimed {
                self.buffer.add(job, now);
            }
        }
        let not_begun: Vec<_> = self.buffer.all().iter().map(|job| (job.id, job.fence)).collect();
        if !not_begun.is_empty() {
            // At once, not after the last running one; if it fails, it is tried again then.
            match queue::give_back(self.kernel.db(), not_begun.iter().copied()).await {
                Ok(()) => {
                    for (id, fence) in not_begun {
                        self.held.release(id, fence);
                    }
                }
                Err(error) => tracing::warn!(%error, "jobs could not be given back yet"),
            }
        }
        let wake = self.wake.clone();
        while self.running + self.waiting > 0 {
            tokio::select! {
                Some(over) = ended.recv() => self.one_is_over(over),
                () = wake.worker() => self.hear(),
            }
        }
    }

    fn hear(&mut self) {
        let heard = self.wake.take();
        for (lane, since) in heard.ready {
            self.lanes.hear(lane, since);
        }
        for job in heard.cancelled {
            self.held.cancel(job);
        }
    }

    fn one_is_over(&mut self, (waited, took): (bool, Duration)) {
        if waited {
            self.waiting -= 1;
            return;
        }
        self.running -= 1;
        self.mean = (self.mean * 9 + took.min(Duration::from_hours(1))) / 10;
    }

    /// What to ask for: enough for the free slots, and what short jobs need to follow one another.
    fn asks(&mut self) -> Vec<Ask> {
        let ahead = pace::ahead(self.slots, self.mean);
        let room = self.slots - self.running + ahead;
        let held = self.buffer.len();
        // By batches, except for organisations of which there is nothing here.
        let room = if held > ahead / 2 { held.min(room) } else { room };
        if room == 0 {
            return Vec::new();
        }
        let buffer = &self.buffer;
        self.lanes.ask(room, held, |org| buffer.of(org))
    }

    fn take(&mut self, asks: &[Ask], claimed: Vec<Claimed>) {
        let mut gave = HashMap::new();
        for job in &claimed {
            let (count, youngest) = gave.entry((job.org.0, job.priority)).or_insert((0, job.ready_at));
            *count += 1;
            *youngest = job.ready_at.max(*youngest);
        }
        for ask in asks {
            match gave.get(&(ask.lane.org, ask.lane.priority)) {
                Some((count, youngest)) => self.lanes.answered(ask, *count, Some(*youngest)),
                None => self.lanes.answered(ask, 0, None),
            }
        }
        let now = std::time::Instant::now();
        for job in claimed {
            self.buffer.add(job, now);
        }
    }

    fn begin_jobs(&mut self) {
        loop {
            let (free, patient) = (self.running < self.slots, self.waiting < WAITING);
            if !free && !patient {
                return;
            }
            let handlers = &self.handlers;
            let waits = |job: &Claimed| {
                handlers
                    .get(job.name.as_str())
                    .is_some_and(|handler| handler.waits)
            };
            let next = self.buffer.next(|job| if waits(job) { patient } else { free });
            let Some(job) = next else { return };
            let waits = waits(&job);
            if waits {
                self.waiting += 1;
            } else {
                self.running += 1;
            }
            let surroundings = Surroundings {
                kernel: self.kernel.clone(),
                handler: self.handlers.get(job.name.as_str()).cloned(),
                strings: self.held.of(job.id, job.fence),
                ends: self.ends.clone(),
                held: self.held.clone(),
                figures: self.figures.clone(),
            };
            let over = self.over.clone();
            self.jobs.spawn(async move {
                let began = Instant::now();
                run::one(surroundings, job).await;
                let _ = over.send((waits, began.elapsed()));
            });
        }
    }

    fn give_back_stale(&mut self) {
        let stale = self.buffer.older_than(STALE, std::time::Instant::now());
        if stale.is_empty() {
            return;
        }
        // Jobs take longer than was thought.
        self.mean = self.mean.max(STALE);
        let (db, held) = (self.kernel.db().clone(), self.held.clone());
        self.jobs.spawn(async move {
            let jobs: Vec<_> = stale.iter().map(|job| (job.id, job.fence)).collect();
            while let Err(error) = queue::give_back(&db, jobs.iter().copied()).await {
                tracing::warn!(%error, "jobs could not be given back; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            for (id, fence) in jobs {
                held.release(id, fence);
            }
        });
    }
}

async fn claim(kernel: Kernel, worker: Uuid, held: Arc<Held>, asks: Vec<Ask>) -> Answer {
    let (db, lease) = (kernel.db(), kernel.config().jobs.lease_seconds);
    let claimed = tokio::time::timeout(PATIENCE, queue::claim(db, worker, lease, &asks))
        .await
        .unwrap_or_else(|_| Err(tenon_sdk::Error::internal("a claim got no answer")));
    if let Ok(claimed) = &claimed {
        for job in claimed {
            held.add(job.id, job.fence);
        }
    } else {
        // It may have been committed all the same.
        let mut pause = Duration::from_millis(200);
        loop {
            tokio::time::sleep(pause).await;
            let own: Vec<Uuid> = held.all().into_iter().map(|(id, _)| id).collect();
            match queue::reconcile(db, worker, lease, &own).await {
                Ok(()) => break,
                Err(error) => tracing::warn!(%error, "queue is out of reach"),
            }
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }
    (asks, claimed)
}
