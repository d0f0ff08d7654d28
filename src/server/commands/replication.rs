//! The role of the server, as commands show and change it.

use crate::server::call::Call;
use crate::server::mode::Role;
use crate::server::numbers::int;
use crate::server::refusal::Refusal;

type Done = Result<(), Refusal>;

/// `REPLICAOF host port` or `REPLICAOF NO ONE`, also as `SLAVEOF`.
pub(in crate::server) fn replicaof(call: &mut Call<'_>) -> Done {
    if call.is_word(1, "NO") && call.is_word(2, "ONE") {
        call.state.set_role(Role::Master);
        call.reply.ok();
        return Ok(());
    }
    let port = int(call.arg(2)).and_then(|port| u16::try_from(port).ok());
    let port = port.ok_or(Refusal::err("Invalid master port"))?;
    let host = String::from_utf8_lossy(call.arg(1)).into_owned();
    if let Role::Replica { host: of, port: at } = &call.state.role {
        if *at == port && of.eq_ignore_ascii_case(&host) {
            call.reply
                .simple("OK Already connected to specified master");
            return Ok(());
        }
    }
    call.state.set_role(Role::Replica { host, port });
    call.reply.ok();
    Ok(())
}

pub(in crate::server) fn role(call: &mut Call<'_>) -> Done {
    match &call.state.role {
        Role::Master => {
            call.reply.array(3);
            call.reply.bulk("master");
            call.reply.int(0);
            call.reply.array(0);
        }
        Role::Replica { host, port } => {
            call.reply.array(5);
            call.reply.bulk("slave");
            call.reply.bulk(host);
            call.reply.int((*port).into());
            call.reply.bulk("connect");
            call.reply.int(-1);
        }
    }
    Ok(())
}
