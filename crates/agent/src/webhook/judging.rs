//! One review judged: on a thread of its own, and again with the authorizer's answers where a policy asks for them.
use super::asking::{self, Authorizer};
use crate::policy_sets::PolicySets;
use bytes::Bytes;
use seawall_model::Problem;
use seawall_model::time::Clock;
use seawall_posture::admission::{
    Answer, Answers, Authorization, Mode, Policies, Question, Review, Surroundings, Time, Worker,
};
use std::num::NonZero;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

/// Reviews judged at a time for each core, each on a thread of its own. Judging only computes: more would make all of
/// them late, and each has interpreters of its own.
const JUDGES_PER_CORE: usize = 2;
/// Times that a review is judged with more answers of the authorizer: a condition may ask, then a validation, and then
/// another by what the first was told.
const MAX_ROUNDS: usize = 8;

/// Policies, and all that judging by them takes. Policies change while it runs.
pub(super) struct Judging {
    agent: String,
    /// Where Seawall itself runs; never judged.
    namespace: Option<String>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) policy_sets: Arc<PolicySets>,
    authorizer: Option<Authorizer>,
    policies: RwLock<Arc<Policies>>,
    judges: Arc<Semaphore>,
    /// Interpreters that nobody uses now.
    workers: Mutex<Vec<Worker>>,
}

/// A review with what is known of its user, and the answer so far.
type Judged = Result<(Arc<Review>, Answer), Box<Problem>>;

impl Judging {
    pub(super) fn new(
        agent: String,
        namespace: Option<String>,
        clock: Arc<dyn Clock>,
        policy_sets: Arc<PolicySets>,
        authorizer: Option<Authorizer>,
    ) -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Arc::new(Self {
            agent,
            namespace,
            clock,
            policy_sets,
            authorizer,
            policies: RwLock::default(),
            judges: Arc::new(Semaphore::new(JUDGES_PER_CORE * cores)),
            workers: Mutex::default(),
        })
    }

    pub(super) fn policies(&self) -> Arc<Policies> {
        self.policies.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_policies(&self, policies: Policies) {
        *self.policies.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policies);
    }

    /// Judges what is sent, then asks the authorizer what policies want to know, until nothing is open.
    pub(super) async fn judge(
        self: &Arc<Self>,
        body: Bytes,
        deadline: Instant,
    ) -> Result<Judged, JoinError> {
        let mut answers = Answers::new();
        let parsed =
            self.blocking(deadline, Answers::new(), move || Ok(Arc::new(Review::parse(&body)?)));
        let (review, mut answer) = match parsed.await? {
            Ok(judged) => judged,
            Err(problem) => return Ok(Err(problem)),
        };
        for _ in 0..MAX_ROUNDS {
            if answer.questions.is_empty() || Instant::now() >= deadline {
                break;
            }
            answers.extend(self.ask(&review, &answer.questions, deadline).await);
            let (known, again) = (answers.clone(), review.clone());
            match self.blocking(deadline, known, move || Ok(again)).await? {
                Ok((_, judged)) => answer = judged,
                Err(problem) => return Ok(Err(problem)),
            }
        }
        Ok(Ok((review, answer)))
    }

    /// Judges on a thread of its own, with interpreters that are nobody else's meanwhile.
    async fn blocking(
        self: &Arc<Self>,
        deadline: Instant,
        answers: Answers,
        review: impl FnOnce() -> Result<Arc<Review>, Box<Problem>> + Send + 'static,
    ) -> Result<Judged, JoinError> {
        let judge = self.judges.clone().acquire_owned().await;
        let judge = judge.expect("the semaphore is never closed");
        let judging = self.clone();
        tokio::task::spawn_blocking(move || {
            let _judge = judge;
            let review = review()?;
            let mut worker = judging.workers().pop().unwrap_or_default();
            let answer = judging.answer(&review, Arc::new(answers), deadline, &mut worker);
            judging.workers().push(worker);
            Ok((review, answer))
        })
        .await
    }

    fn answer(
        &self,
        review: &Review,
        answers: Arc<Answers>,
        deadline: Instant,
        worker: &mut Worker,
    ) -> Answer {
        let policies = self.policies();
        let known = &self.policy_sets.known;
        if !policies.sets().is_empty() && !review.namespace.is_empty() {
            known.wait_for_namespace(&review.namespace, deadline);
        }
        let begun = Instant::now();
        let clock = Rc::new(move || begun.elapsed());
        let time = Time::until(clock, deadline.saturating_duration_since(begun));
        let surroundings = Surroundings {
            now: self.clock.now(),
            agent: &self.agent,
            own_namespace: self.namespace.as_deref(),
            lookup: &known.seen(answers),
            time: &time,
            mode: Mode::Admission,
        };
        policies.judge(review, &surroundings, worker)
    }

    /// What the authorizer says within the time; what it does not is asked again or left open.
    async fn ask(&self, review: &Review, questions: &[Question], deadline: Instant) -> Answers {
        let Some(authorizer) = &self.authorizer else { return Answers::new() };
        let within = deadline.saturating_duration_since(Instant::now());
        let mut asked: JoinSet<(Question, Option<Authorization>)> = JoinSet::new();
        for question in questions {
            let answer = authorizer(asking::question(question, review.user_info()), within);
            let question = question.clone();
            asked.spawn(async move { (question, asking::authorization(answer.await)) });
        }
        let answered = asked.join_all().await.into_iter();
        answered.filter_map(|(question, answer)| Some((question, answer?))).collect()
    }

    fn workers(&self) -> MutexGuard<'_, Vec<Worker>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
