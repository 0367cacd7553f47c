//! The texts that `wxops init` writes.

use rand::distr::{Alphanumeric, SampleString};

/// The console takes a Token of 3 to 32 letters and digits, and an EncodingAESKey of 43 (reference 1).
const TOKEN_LETTERS: usize = 32;
const AES_KEY_LETTERS: usize = 43;

/// The `.env` of a new installation, with a fresh Token and EncodingAESKey.
pub(super) fn dotenv() -> String {
    let token = Alphanumeric.sample_string(&mut rand::rng(), TOKEN_LETTERS);
    let aes_key = Alphanumeric.sample_string(&mut rand::rng(), AES_KEY_LETTERS);
    DOTENV.replace("{token}", &token).replace("{aes_key}", &aes_key)
}

const DOTENV: &str = "\
# Secrets of wxops. Only its owner may read this file (mode 0600). 密钥文件，仅属主可读。
# Environment variables beat this file; this file beats wxops.toml.

# AppID and AppSecret, from the console: 设置与开发 > 基本配置
#WECHAT_APP_ID=wx...
#WECHAT_APP_SECRET=...

# Freshly made. Paste both into the console: 服务器配置 > 令牌(Token), 消息加解密密钥(EncodingAESKey), 安全模式
WECHAT_TOKEN={token}
WECHAT_AES_KEY={aes_key}

# The address that WeChat can reach, on port 80 or 443. The callback is this and /wechat/event.
#WXOPS_PUBLIC_URL=https://example.com

# mysql://USER:PASSWORD@HOST:3306/NAME for MySQL or MariaDB
#DATABASE_URL=sqlite://wxops.db

# A WeCom group robot (群机器人) that alarms go to
#WXOPS_ALERT_WEBHOOK=https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=...

# Turns on what administrators may ask over HTTP
#WXOPS_API_TOKEN=...
";

/// The `wxops.toml` of a new installation: all comments.
pub(super) const TOML: &str = "\
# Settings of wxops that are no secret. Each has a variable that beats it, such as WXOPS_LISTEN for listen.

#listen = \"127.0.0.1:8080\"
#metrics_listen = \"127.0.0.1:9464\"
#public_url = \"https://example.com\"

# Refuse callbacks whose timestamp is further off than this; by default they are only counted.
#replay_window = \"5m\"

# What happens to the data of a person who unfollows: \"erase\" or \"keep\".
#unsubscribe_policy = \"erase\"

#log = \"info\"

# More than one Official Account: one table each, instead of the WECHAT_ variables.
#[official.shop]
#app_id = \"wx...\"
#app_secret_file = \"shop.secret\"
#token_file = \"shop.token\"
#aes_key_file = \"shop.aes_key\"
#mode = \"secure\"
#default = true
";
