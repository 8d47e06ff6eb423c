//! Joining a channel.

use std::collections::HashSet;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    Connection,
    caller::Speaker,
    channel::{Channel, ChannelParts},
    settings::Settings,
};
use crate::{
    access::Rights,
    changes::Wanted,
    context,
    hub::topic::{Broadcast, Member, TopicKey, frame},
    replay,
};

/// Bytes of the name of a topic, of a reference and of a presence key at most.
pub(super) const MAX_NAME: usize = 1024;

impl Connection {
    /// Joins, or says why not. A channel of the same topic is left first.
    pub(crate) async fn join(&mut self, topic: &str, reference: &Value, payload: Value) {
        if let Some(before) = self.channels.remove(topic) {
            let join_ref = before.parts.join_ref.clone();
            self.push(&join_ref, &join_ref, topic, "phx_close", &json!({}));
        }
        match self.try_join(topic, reference, &payload).await {
            Ok((mut channel, replayed)) => {
                let changes = channel.wanted().iter().map(shown).collect::<Vec<_>>();
                self.reply(
                    reference,
                    reference,
                    topic,
                    "ok",
                    &json!({ "postgres_changes": changes }),
                );
                for message in replayed {
                    if let Some(message) = frame(topic, self.version, &message) {
                        self.outbox.send(message);
                    }
                }
                if channel.parts.settings.presence {
                    channel.tell_presences(&self.realtime);
                }
                channel.subscribe(&self.realtime, self.callers.asked());
                self.channels.insert(topic.to_owned(), channel);
            }
            Err(why) => self.reply(reference, reference, topic, "error", &json!({ "reason": why })),
        }
    }

    async fn try_join(
        &mut self,
        topic: &str,
        reference: &Value,
        payload: &Value,
    ) -> Result<(Channel, Vec<Broadcast>), String> {
        let realtime = &self.realtime;
        let limits = &realtime.kernel.config().realtime;
        // They are kept as long as the channel.
        if topic.len() > MAX_NAME
            || reference.as_str().is_some_and(|text| text.len() > MAX_NAME)
            || reference.is_array()
            || reference.is_object()
        {
            return Err("NameTooLong: Topic or reference is too long".to_owned());
        }
        let name = topic.strip_prefix("realtime:").ok_or("unmatched topic")?;
        if name.is_empty() {
            return Err("TopicNameRequired: You must provide a topic name".to_owned());
        }
        if self.channels.len() >= limits.channels {
            return Err("ChannelRateLimitReached: Too many channels".to_owned());
        }
        let settings = Settings::read(payload);
        settings.check(limits)?;
        let database = self.allowance.clone();
        let _database = database.database().await;
        if limits.private_only && !settings.private {
            return Err("PrivateOnly: This project only allows private channels".to_owned());
        }
        let token = payload["user_token"]
            .as_str()
            .or(payload["access_token"].as_str());
        let speaker = self
            .callers
            .speaker(&realtime.kernel, token)
            .await
            .map_err(|error| format!("InvalidJWTToken: {}", error.message))?;
        if !realtime.limits.join(speaker.org) {
            self.outbox
                .end("ClientJoinRateLimitReached: Too many joins per second");
            return Err("ClientJoinRateLimitReached: Too many joins per second".to_owned());
        }
        let rights = self.rights(&speaker, &settings, name).await?;
        let wanted_replay = settings
            .replay
            .map_err(|()| "UnableToReplayMessages: Replay params are not valid".to_owned())?;
        let mut replayed = Vec::new();
        if let Some(wanted) = wanted_replay {
            if !settings.private {
                return Err("UnableToReplayMessages: Replay is not allowed for public channels".to_owned());
            }
            if !rights.hears {
                return Err(unauthorized(name));
            }
            replayed = replay::messages(&realtime.kernel, speaker.org, name, wanted)
                .await
                .map_err(|error| format!("UnableToReplayMessages: {}", error.message))?;
        }
        let key = TopicKey {
            org: speaker.org,
            private: settings.private,
            name: name.to_owned(),
        };
        let had: HashSet<_> = replayed.iter().filter_map(|message| message.id).collect();
        let member = realtime.hub.join(
            &key,
            Member {
                outbox: self.outbox.clone(),
                version: self.version,
                broadcasts: rights.hears,
                presence: rights.sees && settings.presence,
                replayed: had,
            },
        );
        let parts = ChannelParts {
            topic: topic.into(),
            join_ref: reference.clone(),
            key,
            member,
            rights,
            speaker,
            settings,
            outbox: self.outbox.clone(),
            version: self.version,
            allowance: self.allowance.clone(),
        };
        Ok((Channel::new(realtime, parts), replayed))
    }

    async fn rights(&self, speaker: &Speaker, settings: &Settings, name: &str) -> Result<Rights, String> {
        if !settings.private {
            return Ok(Rights::ALL);
        }
        let kernel = &self.realtime.kernel;
        let context = context::of(kernel, &speaker.identity, self.callers.asked());
        let rights = self
            .realtime
            .walls
            .rights(kernel, &context, name)
            .await
            .map_err(|error| {
                tracing::warn!(%error, topic = name, "the policies of private channels cannot be asked");
                unauthorized(name)
            })?;
        if rights.hears || rights.sees {
            Ok(rights)
        } else {
            Err(unauthorized(name))
        }
    }
}

/// What nobody may read who has no policy for it.
pub(super) fn unauthorized(name: &str) -> String {
    format!("Unauthorized: You do not have permissions to read from this Channel topic: {name}")
}

/// A subscription as the client gets it back, with the number that its changes will bear.
fn shown(wanted: &Wanted) -> Value {
    let mut params = wanted.params.clone();
    if let Some(params) = params.as_object_mut() {
        params.insert("id".to_owned(), wanted.id.into());
    }
    params
}

/// When a token is looked at next: when it ends, and now and then before.
pub(super) fn next_check(realtime: &crate::Realtime, speaker: &Speaker) -> Instant {
    let every = std::time::Duration::from_secs(realtime.kernel.config().realtime.check_seconds.max(1));
    let left = speaker.expires.map(|expires| {
        let left = expires.duration_since(realtime.kernel.env().now());
        std::time::Duration::try_from(left).unwrap_or_default()
    });
    Instant::now() + left.unwrap_or(every).min(every)
}
