//! `serve`.

/// English, Chinese.
pub(super) const SENTENCES: &[(&str, &str)] = &[
    ("Run the callback server until it is stopped", "运行回调服务，直到被停止"),
    (
        "With --sandbox it brings a stand-in platform along and keeps everything in ./wxops-sandbox: the quickest \
         way to see it work.",
        "加 --sandbox 会同时启动一个模拟平台，所有数据放在 ./wxops-sandbox：这是最快的试用方式。",
    ),
    ("Address and port for callbacks", "接收回调的地址与端口"),
    ("Address and port of /metrics", "/metrics 的地址与端口"),
    (
        "Bring a stand-in platform along; nothing outside ./wxops-sandbox",
        "同时启动模拟平台；不触及 ./wxops-sandbox 以外的任何东西",
    ),
];
