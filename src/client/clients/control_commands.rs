//! What the client asks for itself: questions to the server, and elements that go back. See
//! [`control`](super::super::control).

use super::super::cancel::UnblockReply;
use super::super::command::ReplyCount;
use super::super::guard::{Question, unblock_reply};
use super::super::in_flight::Pending;
use super::super::requeue::Undelivered;
use super::{Clients, Parts};
use crate::error::Error;
use crate::resp::Value;
use crate::timers::Timers;
use crate::token::Key;
use log::{error, warn};

impl Clients {
    /// The control connection of a client, if it is up.
    fn control_of(&self, client: Key) -> Option<Key> {
        let key = self.clients.get(client)?.control.conn?;
        self.conns.get(key)?.is_up().then_some(key)
    }

    /// Asks the server to end what a connection waits for, as soon as the control connection is up.
    pub(super) fn ask_unblock(&mut self, key: Key, timers: &mut Timers) {
        let Some(Parts { conn, client, .. }) = self.parts(key) else {
            return;
        };
        let client_key = conn.client;
        let mode = client.control.mode;
        let asked = conn.client_id.zip(conn.request());
        let question = asked.map(|(id, outgoing)| Question::new(id, &outgoing.payload, mode));
        let endpoint = conn.endpoint;
        let Some(control) = self.control_of(client_key) else {
            return self.queue_question(client_key, key);
        };
        let asks_at = self.conns.get(control).map(|conn| conn.endpoint);
        if asks_at != Some(endpoint) {
            // There, the same id is another client's.
            return self.on_unblock_reply(key, UnblockReply::Refused, timers);
        }
        let Some(Some(question)) = question else {
            self.log_refusal(client_key, "it cannot be asked about this command");
            return self.on_unblock_reply(key, UnblockReply::Refused, timers);
        };
        let replies = match question.replies {
            1 => ReplyCount::One,
            count => ReplyCount::Many(count),
        };
        self.send_control(
            control,
            Pending::Unblock(key),
            &question.bytes,
            replies,
            timers,
        );
    }

    fn queue_question(&mut self, client_key: Key, key: Key) {
        if let Some(client) = self.clients.get_mut(client_key) {
            client.control.questions.push(key);
            self.out.queue_dial(client_key, client);
        }
    }

    fn send_control(
        &mut self,
        control: Key,
        pending: Pending,
        bytes: &[u8],
        replies: ReplyCount,
        timers: &mut Timers,
    ) {
        if let Some(conn) = self.conns.get_mut(control) {
            conn.send(bytes, 0, &mut self.out.buffers);
            conn.push(pending, replies, bytes.len() as u64, timers.now());
            self.out.queue_write(control, conn);
            if conn.timer.is_none() {
                self.sync_conn(control, timers);
            }
        }
    }

    /// Sends everything that waits for the control connection, which is up.
    pub(super) fn pump_control(&mut self, client_key: Key, timers: &mut Timers) {
        let Some(client) = self.clients.get_mut(client_key) else {
            return;
        };
        let questions = std::mem::take(&mut client.control.questions);
        let ready = std::mem::take(&mut client.control.requeues.ready);
        for key in questions {
            match self.is_asked_about(key) {
                true => self.ask_unblock(key, timers),
                // It was answered meanwhile: no question can come too late.
                false => self.on_unblock_reply(key, UnblockReply::NotNow, timers),
            }
        }
        for element in ready {
            self.send_requeue(client_key, element, timers);
        }
    }

    /// True if a connection still waits for the answer that is to be cancelled.
    fn is_asked_about(&self, key: Key) -> bool {
        let conn = self.conns.get(key);
        let cancel = conn.and_then(|conn| conn.cancel.as_ref());
        cancel.is_some_and(|cancel| cancel.asks())
    }

    /// The control connection was lost or could not be made: questions that wait for it were not
    /// put, and are put again after a pause.
    pub(super) fn postpone_questions(&mut self, client_key: Key, timers: &mut Timers) {
        let Some(client) = self.clients.get_mut(client_key) else {
            return;
        };
        for key in std::mem::take(&mut client.control.questions) {
            self.on_unblock_reply(key, UnblockReply::NotNow, timers);
        }
    }

    /// The reply to a control command has come.
    pub(super) fn on_control_reply(
        &mut self,
        client_key: Key,
        pending: Pending,
        value: Value,
        timers: &mut Timers,
    ) {
        match pending {
            Pending::Request(_) => {}
            Pending::Unblock(key) => {
                let reply = unblock_reply(&value);
                if reply == UnblockReply::Refused {
                    self.log_refusal(client_key, "CLIENT UNBLOCK is refused");
                }
                self.on_unblock_reply(key, reply, timers);
            }
            Pending::Requeue(element) => match value.into_result() {
                Ok(_) => self.on_requeued(client_key),
                Err(error) => self.on_requeue_failed(*element, &error, timers),
            },
        }
    }

    /// Logs once that nothing can be cancelled without closing its connection.
    pub(super) fn log_refusal(&mut self, client_key: Key, why: &str) {
        if let Some(client) = self.clients.get_mut(client_key) {
            if !std::mem::replace(&mut client.control.refusal_logged, true) {
                let server = &client.address;
                warn!(
                    "{server}: blocking commands cannot be cancelled, and elements may be lost: {why}"
                );
            }
        }
    }

    /// Puts an element back where it came from, if it was removed.
    pub(crate) fn requeue(&mut self, element: Undelivered, timers: &mut Timers) {
        let client_key = element.client;
        let Some(client) = self.clients.get_mut(client_key) else {
            return;
        };
        if element.requeue_command().is_none() {
            return;
        }
        client.control.requeues.push(element);
        match self.control_of(client_key) {
            Some(_) => self.pump_control(client_key, timers),
            None => {
                if let Some(client) = self.clients.get_mut(client_key) {
                    self.out.queue_dial(client_key, client);
                }
            }
        }
        self.sync_client(client_key, timers);
    }

    fn send_requeue(&mut self, client_key: Key, element: Undelivered, timers: &mut Timers) {
        let (Some(control), Some(command)) =
            (self.control_of(client_key), element.requeue_command())
        else {
            if let Some(client) = self.clients.get_mut(client_key) {
                client.control.requeues.ready.push_back(element);
            }
            return;
        };
        let bytes = command.into_write_buf();
        let pending = Pending::Requeue(Box::new(element));
        self.send_control(control, pending, bytes.unsent(), ReplyCount::One, timers);
    }

    fn on_requeued(&mut self, client_key: Key) {
        if let Some(client) = self.clients.get_mut(client_key) {
            client.control.requeues.on_success();
            client.counters.requeued += 1;
        }
    }

    /// The server has not taken an element back.
    pub(super) fn on_requeue_failed(
        &mut self,
        element: Undelivered,
        why: &Error,
        timers: &mut Timers,
    ) {
        let client_key = element.client;
        let Some(client) = self.clients.get_mut(client_key) else {
            return;
        };
        let requeues = &mut client.control.requeues;
        match requeues.on_failure(element, why, timers.now(), &client.config) {
            Some(lost) => {
                client.counters.indeterminate += 1;
                error!("{}: {lost} could not be put back: {why}", client.address);
            }
            None if requeues.is_first_failure() => {
                warn!("{}: elements wait to be put back: {why}", client.address);
            }
            None => {}
        }
        self.sync_client(client_key, timers);
    }

    /// Gives up elements whose time is over.
    pub(super) fn expire_requeues(&mut self, client_key: Key, timers: &mut Timers) {
        let Some(client) = self.clients.get_mut(client_key) else {
            return;
        };
        if client.control.requeues.is_overdue(timers.now()) {
            let why = client.no_connection();
            for element in std::mem::take(&mut client.control.requeues.ready) {
                self.on_requeue_failed(element, &why, timers);
            }
        }
    }

    /// Marks one element as held by an `on_undelivered` hook.
    pub(crate) fn hold_undelivered(&mut self, client: Key) {
        if let Some(client) = self.clients.get_mut(client) {
            client.control.requeues.hold();
        }
    }

    /// Releases an element that a hook has held.
    pub(crate) fn release_undelivered(&mut self, client: Key) {
        if let Some(client) = self.clients.get_mut(client) {
            client.control.requeues.release();
        }
    }

    /// Limits how long elements are put back, to as long as any command may take: the program wants
    /// to end.
    pub(crate) fn limit_requeues(&mut self, timers: &mut Timers) {
        for client in self.clients.values_mut() {
            let timeout = client.config.command_timeout;
            client.control.requeues.limit(timers.now(), timeout);
        }
        let keys: Vec<_> = self.clients.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.sync_client(key, timers);
        }
    }

    /// Removes that limit: the program goes on.
    pub(crate) fn unlimit_requeues(&mut self) {
        for client in self.clients.values_mut() {
            if !client.is_closing {
                client.control.requeues.unlimit();
            }
        }
    }
}
