<?php
// Calls WeChat with the access_token that wxops holds, and never asks WeChat for one itself: a second program that does
// so makes the first one's token die. PHP 7.4 or later with the curl extension.
//
//   WXOPS_TOKEN_URL=https://wx.example.com/api/token/main WXOPS_TOKEN_KEY=... php token.php

/** One request: the HTTP status, and the JSON of the answer. */
function request(string $url, array $headers = [], ?string $body = null): array
{
    $call = curl_init($url);
    curl_setopt_array($call, [CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 20, CURLOPT_HTTPHEADER => $headers]);
    if ($body !== null) {
        curl_setopt($call, CURLOPT_POSTFIELDS, $body);
    }
    $text = curl_exec($call);
    if ($text === false) {
        // Without the URL: the access_token stands in it.
        throw new RuntimeException('no answer: ' . curl_strerror(curl_errno($call)));
    }
    return [curl_getinfo($call, CURLINFO_RESPONSE_CODE), json_decode($text, true)];
}

/** The token; where one was refused, the one to use instead. */
function token(?string $refused = null): string
{
    [$url, $key] = [getenv('WXOPS_TOKEN_URL'), getenv('WXOPS_TOKEN_KEY')];
    $headers = ['Authorization: Bearer ' . $key, 'Content-Type: application/json'];
    if ($refused === null) {
        [$status, $answer] = request($url, $headers);
    } else {
        // Not the token itself: the beginning of its hash.
        $body = json_encode(['sha256' => substr(hash('sha256', $refused), 0, 32)]);
        [$status, $answer] = request($url . '/refused', $headers, $body);
    }
    if ($status !== 200) {
        throw new RuntimeException("no token: HTTP $status: " . ($answer['detail'] ?? ''));
    }
    return $answer['access_token'];
}

/** A call of WeChat's API. A refused token is told of, and the call tried once more. */
function call(string $path): array
{
    $base = getenv('WECHAT_API_BASE') ?: 'https://api.weixin.qq.com';
    $token = token();
    [, $answer] = request("$base$path?access_token=" . urlencode($token));
    if (in_array($answer['errcode'] ?? 0, [40001, 40014, 42001], true)) {
        $token = token($token);
        [, $answer] = request("$base$path?access_token=" . urlencode($token));
    }
    return $answer;
}

$answer = call('/cgi-bin/getcallbackip');
echo json_encode($answer), "\n";
exit(($answer['errcode'] ?? 0) === 0 ? 0 : 1);
